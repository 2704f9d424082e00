"""The part of `make drill` about content: poison, odd batches, the API's document, a fuzzer."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.drills.content.chain import Sending, memory_mb, poisoned
from tests.drills.content.envelopes import Post, strange
from tests.drills.content.poison import kinds
from tests.drills.part import Options, Row
from tests.faults.house import ROOT, House, house
from tests.postgres import running

OF = 500
"""Records around one that is poison."""
EXAMPLES = 30
"""Cases of each operation in either mode: as the document says, and not so."""
FUZZ_S = 3
"""Seconds for each parser."""
MORE_MB = 250
"""What a centre's memory may have grown by in the end."""
LACKING = "pip install -r requirements/drill.txt (make drill does) has not been done"


def drill(options: Options) -> Iterator[Row]:
    """All of it."""
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder:
            root = Path(folder)
            with _house(root / "lite", devices=3) as lite:
                yield from chain(lite, options)
            yield on_postgresql(root / "post", options)
            with _house(root / "api") as api:
                yield from described(api, options)
        yield from fuzzed(options)
    finally:
        logging.disable(logging.NOTSET)


@contextlib.contextmanager
def _house(folder: Path, **more: Any) -> Iterator[House]:
    folder.mkdir()
    with house(folder, **more) as found:
        yield found


def chain(lite: House, options: Options) -> Iterator[Row]:
    """Poison through the real sender, then odd batches, and what it all took of memory."""
    before = memory_mb(lite.centre.pid)
    device = Sending(lite)
    given = list(kinds().items())[:: options.step]
    bad = poisoned(device, given, of=OF)
    note = f"{len(device.healthy):,} healthy records, {len(device.statuses):,} exchanges"
    yield Row(f"one poison record among {OF}", len(given), bad, note)
    device.close()
    yield _several(lite)
    number, bad = strange(Post(lite, 1))
    after = memory_mb(lite.centre.pid)
    if after > before + MORE_MB:
        bad.append(f"the centre's memory went from {before} to {after} MiB")
    note = f"the centre's memory before and after: {before} and {after} MiB"
    yield Row("odd batches: size, code, version, positions", number, bad, note)


def _several(lite: House) -> Row:
    """Poison at the first, a middle and the last place; nothing but poison."""
    chosen = {name: poison for name, poison in kinds().items()
              if name in ("value 11", "U+0000", "cut short", "920 lists deep, value")}  # fmt: skip
    device = Sending(lite, 2)
    bad = poisoned(device, list(chosen.items()), of=OF, at=lambda of: (0, of // 3, of - 1))
    bad += poisoned(device, [("value 11", chosen["value 11"])], of=OF, at=range)
    bad += poisoned(device, [("cut short", chosen["cut short"])], of=40, at=range)
    device.close()
    return Row("first, middle and last; nothing but poison", len(chosen) + 2, bad)


def on_postgresql(folder: Path, options: Options) -> Row:
    """The same kinds of poison where the database is the stricter one."""
    name = "the same on PostgreSQL, one among 50"
    given = list(kinds().items())[:: options.step]
    try:
        cluster = running()
        server = cluster.__enter__()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return Row(name, 0, skipped=f"no PostgreSQL: {error}")
    try:
        with _house(folder, database=server.database()) as post:
            device = Sending(post)
            bad = poisoned(device, given, of=50)
            device.close()
    finally:
        cluster.__exit__(None, None, None)
    return Row(name, len(given), bad)


def described(api: House, options: Options) -> Iterator[Row]:
    """Every operation of the OpenAPI document."""
    name = "every operation of the OpenAPI document, signed and not"
    if importlib.util.find_spec("schemathesis") is None:
        yield Row(name, 0, skipped=LACKING)
        return
    from tests.drills.content.api import operations

    cases, bad, statuses = 0, [], set()
    for label, tried in operations(api, options.seed, EXAMPLES):
        cases += tried.cases
        statuses |= tried.statuses.keys()
        bad += [f"{label}: {failure}" for failure in tried.failures]
    if "Traceback" in api.centre.said():
        bad.append(f"the centre's log: {api.centre.said()[-800:]}")
    yield Row(name, cases, bad, f"replies {', '.join(map(str, sorted(statuses)))}")

    def lacking(document: dict[str, Any]) -> dict[str, Any]:
        for operation in document["paths"].values():
            for each in operation.values():
                each["responses"].pop("401")
        return document

    found = [label for label, tried in operations(api, options.seed, 3, changed=lacking)
             if tried.failures]  # fmt: skip
    bad = [] if len(found) > 5 else [f"only {found} are seen to answer 401"]
    yield Row("a document that lacks a reply is found out", len(found), bad)


def fuzzed(options: Options) -> Iterator[Row]:
    """Each parser under the coverage-guided fuzzer, in processes of its own."""
    name = "coverage-guided fuzzer"
    if importlib.util.find_spec("atheris") is None:
        yield Row(name, 0, skipped=LACKING)
        return
    with tempfile.TemporaryDirectory(prefix="hymio-drill-", dir=_fast()) as folder:
        words = [folder, *map(str, (FUZZ_S, options.seed, options.workers))]
        yield from _told(name, words)


def _fast() -> str | None:
    """Where files cost nothing."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _told(name: str, words: list[str]) -> Iterator[Row]:
    from tests.drills.content.fuzzing import PLANTED

    process = subprocess.Popen(
        [sys.executable, "-m", "tests.drills.content.fuzzing", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    runs = parsers = 0
    bad: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            told = json.loads(line)
            if told["name"] == PLANTED:
                seen = told["failures"]
                yield Row(f"{name}: {PLANTED} is found", told["runs"],
                          [] if seen else ["it is not found"])  # fmt: skip
                continue
            parsers += 1
            runs += told["runs"]
            bad += [f"{told['name']}: {failure}" for failure in told["failures"]]
        if process.wait(30):
            bad.append(f"the fuzzer itself ended with {process.returncode}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    yield Row(f"{name}: {parsers} parsers, {FUZZ_S} s each", runs, bad)
