"""Disks that answer with errors: every call of a day fails once, or from there on for a while."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from tests.faults.house import ROOT

KINDS = ("day", "restart", "first start")
WRITING = "pwrite64,write,ftruncate,fallocate"
SYNCING = "fsync,fdatasync"
FAULTS = (
    (WRITING, "ENOSPC"),
    (WRITING, "EIO"),
    (SYNCING, "EIO"),
    (SYNCING, "ENOSPC"),
    ("openat", "EIO"),
    ("openat", "ENOSPC"),
)
"""System calls, counted together, and the error they end with."""


class Server:
    """A running `tests.drills.disks.faulty`; use as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.drills.disks.faulty"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def try_out(self, **case: object) -> dict[str, Any]:
        """Have a case tried; what came of it. Raises RuntimeError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(case), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server ended at {case}")
        return json.loads(line)  # type: ignore[no-any-return]

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@dataclass
class Tally:
    """What came of one kind of fault."""

    cases: int = 0
    injected: int = 0
    idle: int = 0
    """Cases in which no call failed."""
    refused: int = 0
    """Commits, starts and exchanges that ended with an error and were tried again."""
    alarms: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, result: dict[str, Any]) -> None:
        """Count a case."""
        self.cases += 1
        self.injected += result["injected"]
        self.refused += result["refused"]
        for alarm in result["alarms"]:
            self.alarms[alarm] = self.alarms.get(alarm, 0) + 1
        # How many calls there are depends a little on ids: the last numbers may not come up.
        self.idle += not result["injected"]
        if wrong := result["wrong"]:
            where = f"{result['what']}, {result['call']} {result['when']} {result['error']}"
            self.failures.append(f"{where}: {'; '.join(wrong[:3])}")


def cases(server: Server, step: int = 1, until_step: int = 4) -> Iterator[dict[str, str]]:
    """One case for each call that can fail: alone, and (fewer) with all that follow it."""
    for what in KINDS:
        counts = {
            call: int(server.try_out(what=what, call=call, error="EIO", when="65000")["calls"])
            for call in (WRITING, SYNCING, "openat")
        }
        for call, error in FAULTS:
            # Which calls there are depends a little on ids; the last one may not come up.
            for number in range(1, counts[call], step):
                yield {"what": what, "call": call, "error": error, "when": str(number)}
            for number in range(1, counts[call], step * until_step):
                yield {"what": what, "call": call, "error": error, "when": f"{number}+"}


def sweep(workers: int, step: int = 1) -> dict[tuple[str, str], Tally]:
    """All of them, by calls and error."""
    tallies = {fault: Tally() for fault in FAULTS}
    servers = [Server() for _ in range(workers)]
    stopped = threading.Event()
    try:
        todo = list(cases(servers[0], step))

        def some(number: int) -> Sequence[dict[str, Any]]:
            mine = todo[number::workers]
            return [servers[number].try_out(**case) for case in mine if not stopped.is_set()]

        with ThreadPoolExecutor(workers) as pool:
            try:
                for results in pool.map(some, range(workers)):
                    for result in results:
                        tallies[result["call"], result["error"]].add(result)
            finally:
                # The pool waits for what is under way: minutes, when somebody stops the drill.
                stopped.set()
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    return tallies
