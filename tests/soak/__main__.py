"""`make soak`: a hundred thousand visits, and what they left behind."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import msgspec

from sync.contract import bundle as bundles
from tests.bench.figures import machine, write_between
from tests.bench.process import own_mib
from tests.bench.screen import virtual_screen
from tests.faults.checkers import differing, unbalanced
from tests.faults.house import ROOT, Child, House, house
from tests.soak.samples import LIMITS, Sample, part, rising

BEGIN = "<!-- figures: written by `python -m tests.soak --record` -->\n"
END = "<!-- end of figures of the soak -->"
PAGE = ROOT / "sync" / "RELIABILITY.md"
DRAIN_S = 120.0


@dataclass
class Soak:
    """What came of it."""

    samples: list[Sample] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def prepared(bundle: bundles.Bundle) -> bundles.Bundle:
    """The example's configuration: always open, room for all visits: `keep_days` is not over."""
    return msgspec.structs.replace(
        bundle,
        location=msgspec.structs.replace(bundle.location, hours={}),
        storage=msgspec.structs.replace(bundle.storage, max_mb=2048),
        # Always the same ones: rotated ones would have to be painted anew for every visit.
        survey=msgspec.structs.replace(bundle.survey, selection="fixed", count=3),
    )


def soak(folder: Path, visits: int, seed: int, size: tuple[int, int]) -> Iterator[Soak]:
    """Yields at every sample, and once more when all is checked."""
    found = Soak()
    with (
        house(folder, prepare=prepared) as home,
        virtual_screen(*size) as screen,
    ):
        data = home.device("terminal")
        config, out = folder / "config.bundle", folder / "samples.jsonl"
        config.write_bytes(bundles.as_json(home.bundles[0]))
        sender = home.child("sender", "sync", "--data", str(data))
        words = (str(config), str(data), str(out), str(visits), str(seed))
        terminal = Child(
            [sys.executable, "-m", "tests.soak.program", *words],
            folder / "terminal.log",
            {"DISPLAY": screen.name, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        )
        home.children.append(terminal)
        mine = 0.0
        while True:
            ended = terminal.ended
            fresh = _read(out)[len(found.samples) :]
            if fresh:
                with contextlib.suppress(OSError):
                    mine = round(own_mib(sender.pid), 1)
                found.samples += [replace(sample, sender_mib=mine) for sample in fresh]
                yield found
            if ended is not None:
                break
            time.sleep(0.2)
        if ended:
            found.wrong.append(f"the terminal ended with {ended}: {terminal.said()[-2000:]}")
            yield found
            return
        found.wrong += _checked(home, data, json.loads(out.with_suffix(".counted").read_text()))
        if sender.ended is not None:
            found.wrong.append(f"the sender ended with {sender.ended}")
        errors = [line for line in terminal.said().splitlines() if line.startswith("ERROR")]
        found.wrong += errors[:5]
    if len(found.samples) >= 10:
        found.wrong += rising(found.samples)
    yield found


def _read(file: Path) -> list[Sample]:
    if not file.exists():
        return []
    lines = file.read_text().splitlines(keepends=True)
    return [Sample(**json.loads(line)) for line in lines if line.endswith("\n")]


def _checked(home: House, data: Path, counted: dict[str, object]) -> list[str]:
    """Everything acknowledged is at the centre once, and counted as it was tapped."""
    deadline = time.monotonic() + DRAIN_S
    while any(epoch["to_send"] for epoch in home.ledger(data)["epochs"]):
        if time.monotonic() > deadline:
            return [f"not all sent within {DRAIN_S:g} s"]
        time.sleep(0.5)
    epochs = home.ledger(data)["epochs"]
    wrong = unbalanced(epochs)
    created = sum(epoch["created"] for epoch in epochs)
    ((rows, ids),) = home.rows("select count(*), count(distinct id) from records")
    wrong += unequal(int(str(counted["records"])), created, int(rows), int(ids))
    answers = counted["answers"]
    assert isinstance(answers, dict)
    expected = Counter({(key.split()[0], int(key.split()[1])): n for key, n in answers.items()})
    there = {
        (str(question), int(value)): int(n)
        for question, value, n in home.rows(
            "select question, value, sum(n) from daily_counts group by question, value"
        )
    }
    return wrong + differing(expected, there)[:10]


def unequal(acknowledged: int, created: int, rows: int, ids: int) -> list[str]:
    """Whether the four ways of counting the same records agree."""
    if acknowledged == created == rows == ids:
        return []
    return [
        f"{acknowledged} records acknowledged, {created} created by the ledger,"
        f" {rows} rows and {ids} ids at the centre"
    ]


def table(found: Soak, words: str) -> str:
    """Early and late, as Markdown."""
    samples = found.samples
    last = samples[-1]
    lines = [
        words,
        "",
        f"{last.visits:,} visits, {last.records:,} records in {last.seconds / 60:.0f} minutes;"
        f" {'; '.join(found.wrong) or 'all at the centre once, counted as tapped'}.",
        "",
        "| | second fifth | last fifth | limit |",
        "|---|---|---|---|",
    ]
    units = {"late_ms": "ms, p95"}
    for name, what in NAMES.items():
        early, late = part(samples, name, 0.2, 0.4), part(samples, name, 0.8, 1.0)
        times, above, unit = LIMITS.get(name, (0.0, 0.0, units.get(name, "")))
        limit = f"{max(early * times, early + above):,.1f}" if times else ""
        lines.append(f"| {what} ({unit}) | {early:,.1f} | {late:,.1f} | {limit} |")
    return "\n".join(lines)


NAMES = {
    "own_mib": "the terminal's own memory",
    "sender_mib": "the sender's own memory",
    "handles": "open files and sockets",
    "threads": "threads",
    "objects": "objects of Python",
    "disk_bytes": "its files",
    "work_ms": "work of a visit",
    "frame_ms": "a lifted finger heard → answer durable, picture changed",
    "late_ms": "the same",
}


def _size(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[int, int]:
    width, _, height = value.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise click.BadParameter(f"{value!r} is not a size such as 1280x800")
    return int(width), int(height)


@click.command()
@click.option("--visits", default=100_000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True)
@click.option("--size", default="640x400", show_default=True, callback=_size, help="Screen, px.")
@click.option(
    "--dir", "place", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "build"
)
@click.option("--record", "recorded", is_flag=True, help="Write to sync/RELIABILITY.md.")
def main(visits: int, seed: int, size: tuple[int, int], place: Path, recorded: bool) -> None:
    """Visits through the real window, with a sender and a centre; memory, files, time watched.

    Exit 1 when something rises, is lost or doubled. Ctrl-C ends it.
    """
    # Ended by a service manager or by `timeout`, it takes its children along, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-", dir=place) as folder:
        found = Soak()
        shown = 0
        try:
            for found in soak(Path(folder).resolve(), visits, seed, size):
                for each in found.samples[shown:]:
                    print(
                        f"{each.visits:8} visits {each.records:8} records {each.seconds:7.0f} s"
                        f" {each.own_mib:6.1f} + {each.sender_mib:4.1f} MiB"
                        f" {each.handles:3} files {each.threads:2} threads"
                        f" {each.objects:7} objects {each.disk_bytes:6} bytes a record"
                        f" {each.work_ms:6.1f} ms work {each.frame_ms:6.1f}/{each.late_ms:6.1f} ms",
                        flush=True,
                    )
                shown = len(found.samples)
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            sys.exit(130)
        words = (
            f"`make soak`, {time.strftime('%Y-%m-%d')}, seed {seed}, {size[0]} × {size[1]} px,"
            f" {machine(Path(folder))}"
        )
    text = table(found, words) if found.samples else "\n".join(found.wrong)
    print(f"\n{text}")
    if recorded:
        write_between(PAGE, BEGIN, END, text)
    sys.exit(1 if found.wrong else 0)


if __name__ == "__main__":
    main()
