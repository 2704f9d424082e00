"""The table of parsers under a coverage-guided fuzzer: `python -m tests.drills.content.fuzzing`.

A process of its own, for the product has to be imported with the fuzzer's instruments in it. Each
parser is then tried in a fork. One line of JSON is written for each: name, runs, failures.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import shutil
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from tests.drills.content.mutate import mutate

PLANTED = "a planted mistake"
MODULES = ["sync", "kiosk", "http_message_signatures", "http_sf", "tests.drills.content.planted"]
MEMORY_MB = 1500
SLOW_S = 30
_RUNS = re.compile(rb"stat::number_of_executed_units: +(\d+)")


def main(root: str, seconds: int, seed: int, workers: int, names: list[str]) -> None:
    """Fuzz each of the parsers (all without names) for so long, in folders below `root`."""
    import atheris

    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(include=MODULES):
        from tests.drills.content import planted
        from tests.drills.content.inputs import simple, table
    given = {PLANTED: simple(PLANTED, lambda: [b"abcdefgh"], planted.read), **table()}
    wanted = [each for name, each in given.items() if not names or name in names]
    running: dict[int, tuple[str, Path]] = {}
    while wanted or running:
        while wanted and len(running) < workers:
            each = wanted.pop(0)
            place = Path(tempfile.mkdtemp(dir=root))
            pid = os.fork()
            if not pid:
                _fuzz(atheris, each, place, seconds, seed)
            running[pid] = (each.name, place)
        pid, status = os.wait()
        name, place = running.pop(pid)
        print(json.dumps(_told(name, place, status)), flush=True)
        shutil.rmtree(place)


def _fuzz(atheris: Any, given: Any, place: Path, seconds: int, seed: int) -> None:
    """Never returns: the fuzzer ends its process."""
    log = os.open(place / "log", os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        for folder in ("corpus", "work"):
            (place / folder).mkdir()
        examples = given.seeds()
        for number, example in enumerate(examples):
            (place / "corpus" / str(number)).write_bytes(example)
        read = given.open(place / "work")

        runs = 0

        def checked(raw: bytes) -> None:
            nonlocal runs
            runs += 1
            try:
                read(raw)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                (place / "crash-found").write_bytes(raw)
                print(f"stat::number_of_executed_units: {runs}")
                print(f"{type(error).__name__}Error: {error}".replace("ErrorError:", "Error:"))
                traceback.print_exc()
                sys.stdout.flush()
                os._exit(77)

        def mutator(raw: bytes, most: int, number: int) -> bytes:
            chance = random.Random(number)
            if chance.random() < 0.7:
                return bytes(atheris.Mutate(raw, most))
            return mutate(raw, chance, examples, most=most)

        options = [
            *(f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=65536", "-verbosity=1"),
            *(f"-rss_limit_mb={MEMORY_MB}", f"-timeout={SLOW_S}", "-print_final_stats=1"),
            *(f"-artifact_prefix={place}/", str(place / "corpus")),
        ]
        # Where there is no structure to keep, the fuzzer's own mutations find more.
        whole = any(example[:1] in (b"{", b"[") for example in examples)
        more = {"custom_mutator": mutator} if whole else {}
        atheris.Setup(["fuzz", *options], checked, **more)
        atheris.Fuzz()
    finally:
        os._exit(70)


def _told(name: str, place: Path, status: int) -> dict[str, object]:
    """What became of one parser; a failure has its traceback's end and its bytes."""
    log = (place / "log").read_bytes()
    runs = _RUNS.search(log)
    failures = []
    found = [*place.glob("crash-*"), *place.glob("timeout-*"), *place.glob("oom-*")]
    if found or status:
        said = [line for line in log.decode("utf-8", "replace").splitlines() if "Error" in line]
        code = os.waitstatus_to_exitcode(status)
        raw = found[0].read_bytes() if found else b""
        what = said[0][:200] if said else f"ends with {code}: {log[-300:]!r}"
        failures.append(f"{what} <- {raw[:400]!r}")
    return {"name": name, "runs": int(runs[1]) if runs else 0, "failures": failures}


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5:])
