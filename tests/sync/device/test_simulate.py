"""The simulation as it is typed, against the real centre."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.faults.house import House

COMMAND = [sys.executable, "-m", "kiosk.cli", "simulate"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = House(tmp_path_factory.mktemp("house"))
    try:
        yield home.open()
    finally:
        home.close()


def words(home: House, *more: str) -> list[str]:
    key = home.folder / "operator.key"
    key.write_bytes(
        home._operator.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return [*COMMAND, "--collector", home.url, "--operator-key", str(key), *more]


def test_five_terminals_bring_everything_they_made(home: House) -> None:
    done = subprocess.run(
        words(home, *("--terminals", "5", "--rate", "30", "--duration", "2", "--format", "json")),
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # How many fit into two seconds is the disk's affair; each terminal had some.
    assert found["acknowledged"] == found["records"] == found["visits"] * 5 >= 25
    assert found["records_per_s"] == pytest.approx(found["records"] / found["seconds"], rel=0.1)
    after = found["acknowledged_after_s"]
    assert 0 < after["median"] <= after["p95"] <= after["slowest"] <= found["seconds"] + 0.1
    rows = home.rows(
        "select count(*), count(distinct device) from records where device like 'sim-%'"
    )
    assert rows == [(found["records"], 5)]
    assert home.rows("select min(test) from visits where device like 'sim-%'") == [(1,)]


def test_ctrl_c_ends_it_with_the_numbers(home: House) -> None:
    child = subprocess.Popen(
        words(home, "--terminals", "2", "--rate", "10"), stdout=subprocess.PIPE, text=True
    )
    query = "select count(*) from records where device like 'sim-%'"
    before = home.rows(query)
    until = time.monotonic() + 120
    while home.rows(query) == before and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    assert "visits" in out
    assert "acknowledged" in out
    assert "records a second" in out
    assert "(median)" in out


def test_what_it_refuses(home: House, tmp_path: Path) -> None:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*words(home, "--terminals", "1", "--rate", "1"), *args],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    away = run("--collector", "https://feedback.example")
    assert away.returncode == 2
    assert "--yes-really-send-test-data" in away.stderr
    nobody = run("--collector", "http://127.0.0.1:9")
    assert nobody.returncode == 3
    junk = tmp_path / "junk"
    junk.write_text("no key")
    assert run("--operator-key", str(junk)).returncode == 2
