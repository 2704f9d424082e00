"""The part of `make drill` about networks: everything that can befall an exchange."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.drills.network import answers, encrypted, tricks
from tests.drills.network.certificates import Authority
from tests.drills.network.device import POINTS, Trial
from tests.drills.network.middle import Middle, Trick
from tests.drills.network.roads import roads
from tests.drills.network.storms import drain, hundreds, through_a_proxy, tunnel
from tests.drills.part import Options, Row, spread
from tests.faults.house import House, house

FLIPS = 12
"""Bits changed, of each kind, at each point of the exchange."""

DRAINS = 4
TIMES = 300
"""Failures in a row."""
PROXIED = "a proxy on the way"

_home: list[House] = []
_tricks: list[tuple[str, Trick]] = []
_drains: list[tuple[int, int]] = []
"""Number of the device, seed."""
_authority: list[Authority] = []


def catalogue(seed: int, authority: Authority, foreign: Authority) -> dict[str, list[Trick]]:
    """Every trick, by the row it belongs to."""
    return {
        "cut, refused, closed": list(tricks.cuts()),
        "lengths and chunks that lie, 1xx": list(tricks.frames()),
        "hangs and drips": list(tricks.drips()),
        "doubled, late, exchanged": list(tricks.doubles()),
        "bits changed": list(tricks.flips(seed, FLIPS)),
        "captive portals": list(answers.portals()),
        "gateways without a centre": list(answers.failing()),
        "receipts of something else": list(answers.strangers()),
        "rubbish, and replies without end": list(answers.rubbish()),
        "TLS: certificates, handshakes": list(encrypted.encrypted(authority, foreign)),
        "TLS: bits changed": list(encrypted.bits(authority, seed, FLIPS)),
        PROXIED: list(through_a_proxy()),
    }


def tried(
    home: House,
    number: int,
    trick: Trick,
    authority: Authority | None = None,
    *,
    proxied: bool = False,
    points: Sequence[str] = POINTS,
) -> tuple[int, list[str]]:
    """One trick at these points of a device's life: cases, and what is wrong."""
    gc.collect()
    files = open_files()
    tls = authority.server() if authority else None
    wish = {"ca_file": str(authority.file) if authority else ""}
    with contextlib.ExitStack() as end:
        # A proxy passes bytes on to a centre with TLS, and is itself what plays the tricks.
        middle = end.enter_context(Middle(home.port, tls))
        if proxied:
            wish["endpoint"] = middle.url
            middle = end.enter_context(Middle(0, ordinary=tunnel))
            wish["proxy"] = middle.url
        trial = Trial(home, number, middle, **wish)
        end.callback(trial.close)
        try:
            trial.live(trick, points)
        except Exception as error:  # noqa: BLE001 - what a program trips over is a finding
            trial.wrong.append(f"{trick.name}: a program ends with {error!r}")
    gc.collect()
    if open_files() > files:
        trial.wrong.append(f"{trick.name}: {open_files() - files} more files are open than before")
    return trial.cases, trial.wrong


def open_files() -> int:
    """Files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the folder itself is not wanted


def _task(number: int) -> tuple[int, list[str]]:
    logging.disable(logging.CRITICAL)
    row, trick = _tricks[number]
    proxied = row == PROXIED
    authority = _authority[0] if proxied or row.startswith("TLS") else None
    return tried(_home[0], number, trick, authority, proxied=proxied)


def _drain(number: int) -> tuple[int, list[str]]:
    logging.disable(logging.CRITICAL)
    return drain(_home[0], *_drains[number])


def exchanges(options: Options) -> Iterator[Row]:
    """Each trick of the catalogue, on a device of its own, at every point of its life."""
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder:
        place = Path(folder)
        _authority[:] = [Authority(place), Authority(place, "foreign")]
        found = catalogue(options.seed, *_authority)
        _tricks[:] = [
            (row, trick) for row, many in found.items() for trick in many[:: options.step]
        ]
        with house(place, devices=len(_tricks)) as home:
            _home[:] = [home]
            # One more than processors: what hangs is waited for.
            done = spread(_task, range(len(_tricks)), options.workers + 1)
            with contextlib.closing(done):
                for name in found:
                    yield _row(name, [next(done) for row, _ in _tricks if row == name])


def _row(name: str, found: Sequence[tuple[int, list[str]]]) -> Row:
    wrong = [text for _, texts in found for text in texts]
    return Row(name, sum(cases for cases, _ in found), wrong, f"{len(found)} kinds")


def storms(options: Options) -> Iterator[Row]:
    """Long drains in a bad network, and hundreds of failures in a row."""
    with contextlib.ExitStack() as end:
        folder = end.enter_context(tempfile.TemporaryDirectory(prefix="hymio-drill-"))
        home = end.enter_context(house(Path(folder), devices=DRAINS + 1))
        _home[:] = [home]
        _drains[:] = [(number, options.seed * 100 + number) for number in range(DRAINS)]
        found = list(spread(_drain, range(DRAINS), options.workers))
        yield _row("a drain of 4,000 records, two of three exchanges spoilt", found)
        cases, wrong, figures = hundreds(home, DRAINS, TIMES // options.step)
        yield Row("failures in a row", cases, wrong, figures)


PARTS: tuple[Callable[[Options], Iterator[Row]], ...] = (exchanges, storms, roads)


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    for part in PARTS:
        with contextlib.closing(part(options)) as rows:
            yield from rows
