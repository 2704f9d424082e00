"""Many failures in a row: a drain in a bad network, a sender that fails hundreds of times."""

from __future__ import annotations

import contextlib
import os
import random
import select
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.screen import wait_until
from tests.drills.network import answers, tricks
from tests.drills.network.device import CALM_S, Trial
from tests.drills.network.middle import PATIENCE_S, Middle, Serve, Talk, Trick
from tests.drills.network.roads import start_sender
from tests.faults.field import field_device
from tests.faults.house import House

DRAINED = 4000
"""Records of a drain in a bad network."""
HASTE = 50_000.0
"""How much faster the clock of a sender runs that fails hundreds of times."""
ROOM_KB = 64 << 10
"""What a sender's memory may grow by while it is told 64 MB again and again."""


def any_trick(seed: int) -> list[Trick]:
    """Everything that can befall an exchange, but for what hangs."""
    found = [*tricks.cuts(), *tricks.frames(), *tricks.doubles(), *tricks.flips(seed, 10)]
    found += [*answers.portals(), *answers.failing(), *answers.strangers(), *answers.rubbish()]
    return found


def drain(
    home: House, number: int, seed: int, *, records: int = DRAINED, spoilt: int = 120
) -> tuple[int, list[str]]:
    """Send many records while a trick befalls two exchanges of three, of the first `spoilt`."""
    chance = random.Random(seed)
    known = any_trick(seed)
    left = [spoilt]

    def choose(_: str) -> Trick | None:
        left[0] -= 1
        return chance.choice(known) if left[0] > 0 and chance.random() < 0.67 else None

    with contextlib.ExitStack() as end:
        middle = end.enter_context(Middle(home.port, items=records // 40))
        trial = end.enter_context(contextlib.closing(Trial(home, number, middle, seed=seed)))
        # From the first receipt on batches are small.
        trial.field.commit(10, together=10)
        trial.until(trial.drained, "the beginning")
        trial.some(choose)
        trial.field.commit(records, together=500)
        trial.until(trial.drained, f"drain, seed {seed}")
        trial.deliver_kept()
        trial.check()
    return trial.cases, trial.wrong


def through_a_proxy() -> Iterator[Trick]:
    """What a proxy on the way to the centre can do; by itself it makes tunnels."""
    hang = next(trick for trick in tricks.drips() if trick.name == "connected, never answered")
    yield Trick("proxy refuses connections", lambda _: False, down=True)
    yield Trick("proxy resets at once", _reset, at_accept=True)
    yield Trick("proxy hangs", hang.serve, hangs=True, at_accept=True)
    for status in (403, 407, 502, 503):
        serve = answers.answer(status, answers.LOGIN)
        yield Trick(f"proxy says {status}", _only(serve), at_accept=True)
    yield Trick("proxy answers a page", _only(answers.answer(200, answers.LOGIN)), at_accept=True)


def _reset(talk: Talk) -> bool:
    talk.abort()
    return False


def _only(serve: Serve) -> Serve:
    def once(talk: Talk) -> bool:
        return serve(talk) and False

    return once


def tunnel(talk: Talk) -> bool:
    """What a proxy does: CONNECT, and then bytes both ways. Only ever to this machine."""
    where = talk.head().split(b" ")[1].rpartition(b":")[2]
    with socket.create_connection(("127.0.0.1", int(where)), PATIENCE_S) as centre:
        talk.say(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ends = {talk.client: centre, centre: talk.client}
        while True:
            for end in select.select([*ends], [], [])[0]:
                data = end.recv(65536)
                if not data:
                    return False
                ends[end].sendall(data)


# --- hundreds of failures -------------------------------------------------------------------------


def hundreds(home: House, number: int, times: int = 300) -> tuple[int, list[str], str]:
    """A sender in its own process fails again and again: cases, what is wrong, figures."""
    wrong: list[str] = []
    quick = (*tricks.cuts(), *tricks.frames(), *answers.portals(), *answers.rubbish())
    drips = [each for each in tricks.drips() if "byte" in each.name]
    mean: Sequence[Trick] = [*drips, *(each for each in quick if each.fails and not each.down)]
    with Middle(home.port) as middle, field_device(home, number, at=middle.url) as device:
        device.commit(500, together=500)
        device.sync_once()
        sender = start_sender(home, device, speed=HASTE, deadline_s=1.0)
        try:
            early = used(sender.pid)
            for n in range(times):
                if n == times // 5:
                    early = used(sender.pid)
                trick = mean[n % len(mean)]
                device.commit(1)
                middle.play(trick)
                if not middle.played.wait(PATIENCE_S):
                    wrong.append(f"{trick.name}: the sender makes no further attempt")
                    break
                middle.stop()
                if not _calm(middle):
                    wrong.append(f"{trick.name}: connections that were given up still stand")
                    break
            late = used(sender.pid)
            try:
                wait_until(lambda: not device.check_ledger()["to_send"], PATIENCE_S)
            except TimeoutError:
                wrong.append("the network is well, and the sender does not go on")
        finally:
            code = sender.stop()
        if code:
            wrong.append(f"the sender ends with {code}: {sender.said()[-500:]}")
        rooms = {"files": 3, "threads": 1, "KB": 16 << 10, "KB at most": ROOM_KB}
        wrong += [
            f"{late[what] - early[what]} more {what} after {times} failures"
            for what, room in rooms.items()
            if late[what] - early[what] > room
        ]
        try:
            device.check_centre()
        except AssertionError as error:
            wrong.append(f"the centre: {error}")
    grown = (late["KB"] - early["KB"]) / 1024
    figures = f"files {early['files']} → {late['files']}, memory {grown:+.1f} MB"
    return times, wrong, figures


def _calm(middle: Middle) -> bool:
    """Whether no more than one connection stands, after a while."""
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: middle.standing() <= 1, CALM_S / 2)
        return True
    return False


def used(pid: int) -> dict[str, int]:
    """Open files, threads and memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    told = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    return {
        "files": len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - no paths are wanted
        "threads": int(told["Threads"][0]),
        "KB": int(told["VmRSS"][0]),
        "KB at most": int(told["VmHWM"][0]),
    }
