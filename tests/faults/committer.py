"""Commits records as fast as it can and says each id once the commit has returned; to be killed."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.datadir import DataDir
from tests.bench.samples import records


def main() -> None:
    """Run until killed; now and then tend, so that a checkpoint is cut too."""
    said: list[str] = []

    def new_id() -> str:
        said.append(uuid7())
        return said[-1]

    recorder = Recorder(DataDir(Path(sys.argv[1])), Storage(), new_id=new_id)
    made = itertools.cycle(records(200, seed=int(sys.argv[2])))
    for turn in itertools.count(1):
        # A visit's last answer and its end go together, as in the terminal.
        together = 2 if turn % 5 == 0 else 1
        recorder.commit(*itertools.islice(made, together))
        os.write(1, "".join(f"{ident}\n" for ident in said).encode())
        said.clear()
        if turn % 40 == 0:
            recorder.tend(None)


if __name__ == "__main__":
    main()
