"""Devices whose disk answers with errors, each in a process of its own that strace is attached to.

A server of forks: each line on standard input is a case, each line on standard output what came of
it. The centre stays with the server, out of the fault's reach.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import pickle
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from kiosk.recorder import RecorderError
from tests.drills.site import Device, House

TRIES = 6
"""Times a commit is tried before whoever has to makes room, or changes the card."""
WAIT_S = 60.0


class Line:
    """Messages over a socket pair: its calls are none of those that fail."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: object) -> None:
        """Send a message."""
        raw = pickle.dumps(message)
        self._end.sendall(struct.pack("!I", len(raw)) + raw)

    def receive(self) -> Any:
        """The next message; None at the end. Raises OSError."""
        head = self._exactly(4)
        return pickle.loads(self._exactly(struct.unpack("!I", head)[0])) if head else None

    def _exactly(self, length: int) -> bytes:
        found = b""
        while len(found) < length:
            part = self._end.recv(length - len(found))
            if not part:
                return b""
            found += part
        return found


# --- in the device's process ----------------------------------------------------------------------


class Sufferer:
    """A device that goes on as the product does: it tries again, and asks nobody."""

    def __init__(self, root: Path, line: Line, *, ballast_mb: int) -> None:
        self._line = line
        self.device = Device(root, self._post, ballast_mb=ballast_mb)
        self.refused = 0

    def _post(self, path: str, body: bytes, public: str) -> tuple[int, bytes, str]:
        self._line.send(("post", path, body, public))
        return self._line.receive()  # type: ignore[no-any-return]

    def suffer(self, what: str) -> dict[str, Any]:
        """Work while the disk fails, then go on; what came of it."""
        if what != "first start":
            self.device.open()
            self.device.commit(1, 1, 3)
            self.device.drain(20, quiet=2)
        if what == "restart":
            self.device.close()
        before = _descriptors()
        self._line.send(("ready",))
        self._line.receive()
        day = ("visit", "tend", "visit", "sync", "visit", "tend", "sync")
        for turn in day if what == "day" else ("start", "visit", "tend", "sync", "visit"):
            self._through(turn)
        self._line.send(("over",))
        self._line.receive()
        # Nothing is in the way any more: everything must go at the first attempt.
        self._through("start", tries=2)
        for _ in range(3):
            self._through("visit", tries=2)
        wrong = []
        if not self.device.drain(quiet=5):
            assert self.device.sender is not None
            wrong.append(f"it does not go on: {self.device.sender.state}")
        wrong += self._open_ends(before)
        lost = self.device.lost()
        wrong += [f"{lost} lost by the ledger"] if lost else []
        alarms = self.device.recorder.alarms if self.device.recorder else []
        self.device.close()
        again = self.device.open()
        again.commit(1)
        if not again.drain(quiet=3):
            wrong.append("it does not go on after a restart")
        return {
            "wrong": wrong,
            "acknowledged": self.device.acknowledged,
            "made": self.device.made,
            "refused": self.refused,
            "alarms": [alarm["what"] for alarm in alarms],
            "root": str(self.device.data.root),
        }

    def _open_ends(self, before: int) -> list[str]:
        # A start opens some ten files; what grows with each error would be beyond that soon.
        more = _descriptors() - before
        return [f"{more} more files open than before"] if more > 14 else []

    def _through(self, what: str, tries: int = TRIES) -> None:
        for attempt in range(10 * TRIES):
            if attempt == tries:
                # Whatever is the matter ends now, by itself or because somebody changed the card.
                self._line.send(("stuck", what))
                self._line.receive()
            try:
                getattr(self, f"_{what}")()
            except (RecorderError, OSError):
                self.refused += 1
                self.device.now += 60
                continue
            return
        raise AssertionError(f"{what} never succeeds")

    def _start(self) -> None:
        if self.device.recorder is None:
            self.device.open_recorder()
        if self.device.sender is None:
            try:
                self.device.open_sender()
            except sqlite3.Error as error:
                # The sender's process ends, and its unit starts it again.
                raise OSError(str(error)) from error

    def _visit(self) -> None:
        self._start()
        self.device.commit_again()

    def _tend(self) -> None:
        self._start()
        self.device.tend()

    def _sync(self) -> None:
        self._start()
        assert self.device.sender is not None
        for _ in range(3):
            self.device.sender.step(eager=True)
            self.device.now += 30


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


# --- in the server's ------------------------------------------------------------------------------


class Fault:
    """strace, attached to a process and failing its calls until it is detached."""

    def __init__(self, pid: int, log: Path, call: str, error: str, when: str) -> None:
        self.log = log
        self._process = subprocess.Popen(
            ["strace", "-f", "-o", str(log), "-e", f"trace={call}",
             "-e", f"inject={call}:error={error}:when={when}", "-p", str(pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + WAIT_S
        while f"TracerPid:\t{self._process.pid}\n" not in Path(f"/proc/{pid}/status").read_text():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("strace cannot be attached")
            time.sleep(0.001)

    def end(self) -> None:
        """Let the calls go through again."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(WAIT_S)

    def calls(self) -> tuple[int, int]:
        """How many calls there were, and how many of them failed."""
        text = self.log.read_text(errors="replace")
        return sum(" = " in line for line in text.splitlines()), text.count("(INJECTED)")


def judged(case: dict[str, Any], place: Path) -> dict[str, Any]:
    """One device, one fault."""
    house = House(place / "centre.db")
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _live(case, place / "device", Line(theirs))
    theirs.close()
    line = Line(ours)
    fault: Fault | None = None
    result: dict[str, Any] = {"wrong": ["the process died"], "acknowledged": [], "made": []}
    calls, injected = 0, 0
    try:
        while (message := line.receive()) is not None:
            match message:
                case ("post", path, body, public):
                    line.send(house.post(path, body, public))
                    continue
                case ("ready",):
                    fault = Fault(
                        pid, place / "strace", *(case[n] for n in ("call", "error", "when"))
                    )
                case ("stuck", _) | ("over",) if fault is not None:
                    fault.end()
                    calls, injected = fault.calls()
                case ("done", found):
                    result = found
            line.send("on")
    finally:
        if fault is not None:
            fault.end()
        ours.close()
        os.waitpid(pid, 0)
    device = Device(place / "device", house.post, made=result["made"])
    wrong = [*result["wrong"], *device.wrong(house, result["acknowledged"])]
    house.store.close()
    return {**case, "wrong": wrong, "calls": calls, "injected": injected,
            "refused": result.get("refused", 0), "alarms": result.get("alarms", [])}  # fmt: skip


def _live(case: dict[str, Any], root: Path, line: Line) -> None:
    try:
        ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # whoever likes may trace this process
        found = Sufferer(root, line, ballast_mb=case.get("ballast_mb", 0)).suffer(case["what"])
    except BaseException as error:  # noqa: BLE001 - what it died of is a finding
        words = f"it died: {error!r} {traceback.format_exc()[-700:]}"
        found = {"wrong": [words], "acknowledged": [], "made": []}
    line.send(("done", found))
    line.receive()
    os._exit(0)


def main() -> None:
    """Do the cases that standard input names."""
    logging.disable(logging.CRITICAL)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    for text in sys.stdin:
        with tempfile.TemporaryDirectory(prefix="hymio-drill-", dir=memory) as folder:
            print(json.dumps(judged(json.loads(text), Path(folder))), flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            Path(folder).mkdir(exist_ok=True)


if __name__ == "__main__":
    main()
