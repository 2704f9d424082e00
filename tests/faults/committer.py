"""Commits records and says each id once the commit has returned; to be killed."""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.datadir import DataDir
from sync.epoch import New
from sync.outbox import Outbox
from tests.bench.samples import records


class SlowOutbox(Outbox):
    """Takes its time before and after storing, so that a kill falls there as often as not."""

    chance = random.Random()

    def append(self, rows: Sequence[New]) -> None:
        """Store, with a pause on either side."""
        time.sleep(self.chance.uniform(0, 0.003))
        super().append(rows)
        time.sleep(self.chance.uniform(0, 0.003))


def main() -> None:
    """Run until killed; now and then tend, so that a checkpoint is cut too."""
    SlowOutbox.chance.seed(sys.argv[2])
    said: list[str] = []

    def new_id() -> str:
        said.append(uuid7())
        return said[-1]

    recorder = Recorder(
        DataDir(Path(sys.argv[1])), Storage(), new_id=new_id, open_outbox=SlowOutbox
    )
    made = itertools.cycle(records(200, seed=int(sys.argv[2])))
    for turn in itertools.count(1):
        # A visit's last answer and its end go together, as in the terminal.
        together = 2 if turn % 5 == 0 else 1
        recorder.commit(*itertools.islice(made, together))
        os.write(1, "".join(f"{ident}\n" for ident in said).encode())
        said.clear()
        if turn % 7 == 0:
            recorder.tend(None)


if __name__ == "__main__":
    main()
