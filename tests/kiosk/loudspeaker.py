"""A real program in place of aplay: writes the WAV it is given to a file of its own, bit by bit.

    loudspeaker.py FOLDER          takes what comes as fast as it comes
    loudspeaker.py FOLDER slow     takes as long as a sound card

While FOLDER/broken exists it fails as aplay does without a card; while FOLDER/hangs exists it takes
nothing and never ends.
"""

import os
import sys
import time

folder, slow = sys.argv[1], "slow" in sys.argv[2:]
if os.path.exists(f"{folder}/broken"):  # noqa: PTH110 - pathlib takes longer to load than to play
    sys.exit(1)
while os.path.exists(f"{folder}/hangs"):  # noqa: PTH110
    time.sleep(0.01)
with open(f"{folder}/{time.monotonic_ns():020}.wav", "wb", buffering=0) as file:  # noqa: PTH123
    while more := os.read(0, 882):
        file.write(more)
        if slow:
            time.sleep(len(more) / 44100)
