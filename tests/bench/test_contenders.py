"""Contenders answer for what they committed, syncs are counted, and who is missing is named."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.bench import append, growth, peers, syncs, transfer
from tests.bench.contender import durability
from tests.bench.peers import PeerMissing
from tests.bench.samples import records

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
SYNCING = """
import os, sys, threading
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
def work(call):
    os.write(fd, b"x")
    call(fd)
for line in sys.stdin:
    work(os.fsync)
    other = threading.Thread(target=work, args=(os.fdatasync,))
    other.start()
    other.join()
    os.write(fd, b"not synced")
    print("done", flush=True)
"""


@needs_strace
def test_sync_calls_of_all_threads_are_counted_once_each(tmp_path: Path) -> None:
    log = tmp_path / "strace"
    child = subprocess.Popen(
        [*syncs.traced(log), sys.executable, "-S", "-c", SYNCING, str(tmp_path / "file")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    seen = []
    for _ in range(3):
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"
        seen.append(syncs.count(log))
    child.communicate()
    assert seen == [2, 4, 6]


@needs_strace
def test_sync_calls_of_a_running_process_are_counted_while_it_works(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-S", "-c", SYNCING, str(tmp_path / "file")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    pipe_in, pipe_out = child.stdin, child.stdout

    def work() -> None:
        pipe_in.write("go\n")
        pipe_in.flush()
        assert pipe_out.readline() == "done\n"

    work()
    found = syncs.during([child.pid], work, tmp_path / "strace")
    child.communicate()
    if found is None:
        pytest.skip("this machine lets nobody trace a running process")
    assert found == 2


def test_an_interrupted_call_has_two_lines_and_counts_once(tmp_path: Path) -> None:
    log = tmp_path / "strace"
    log.write_text(
        "12 fdatasync(6 <unfinished ...>\n13 fsync(7) = 0\n12 <... fdatasync resumed>) = 0\n"
        '14 write(1, "fsync(", 6) = 6\nmsync(0x7f, 4096, MS_SYNC) = 0\n'
    )
    assert syncs.count(log) == 3


def test_durability_is_what_the_connection_says(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "a.db")
    assert durability(db) == "journal_mode=DELETE, synchronous=FULL"
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=normal")
    assert durability(db) == "journal_mode=WAL, synchronous=NORMAL"
    db.close()


@needs_strace
def test_the_recorder_syncs_once_a_commit_and_says_how_it_runs(tmp_path: Path) -> None:
    assert append.sync_calls("recorder", tmp_path / "traced") == 1
    with append.running(["recorder", "fdatasync"], tmp_path) as (there, missing):
        assert there["recorder"].says == "journal_mode=WAL, synchronous=FULL"
        blocks = [append.write(records(4, seed=n), tmp_path / f"b{n}") for n in range(3)]
        waits, tended = append.alternate(there, blocks)
    assert not missing
    # The first block is not counted.
    assert {kind: [len(turn) for turn in each] for kind, each in waits.items()} == {
        "recorder": [4, 4],
        "fdatasync": [4, 4],
    }
    (file,) = (tmp_path / "recorder" / "outbox").glob("*.db")
    with sqlite3.connect(file) as db:
        assert db.execute("select count(*) from records").fetchone() == (12,)
    db.close()
    assert not tended


def test_a_queue_that_cannot_be_installed_is_not_measured_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Path:
        raise PeerMissing("no network")

    monkeypatch.setattr(append, "python", refuse)
    with append.running(["fdatasync", "litequeue"], tmp_path) as (there, missing):
        assert list(there) == ["fdatasync"]
    assert missing == {"litequeue": "no network"}
    waits = {kind: [[0.001] * 2] for kind in ("recorder", "sqlite3", "fdatasync")}
    gone = dict.fromkeys(append.PEERS, "no network")
    found = {f.name: f for f in append.ratios(waits, gone, 2)}
    assert found["append: Recorder ÷ bare sqlite3, one row a commit"].value == 1
    absent = found["append: Recorder ÷ litequeue, as it comes (no sync)"]
    assert (absent.value, absent.note) == (None, "no network")


def test_peers_are_installed_once_for_the_same_pins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, done = tmp_path / "peer", threading.Event()

    def install() -> None:
        assert not done.is_set(), "installed twice"
        done.set()
        place.mkdir()

    monkeypatch.setattr(peers, "ROOT", tmp_path)
    peers._once(place, b"pins", install)
    peers._once(place, b"pins", install)
    with pytest.raises(AssertionError, match="twice"):
        peers._once(place, b"other pins", install)


def test_an_installation_that_fails_says_so_in_one_line() -> None:
    with pytest.raises(PeerMissing, match="false cannot install the peers"):
        peers._run([shutil.which("false") or "false"])
    with pytest.raises(PeerMissing, match="FileNotFoundError"):
        peers._run(["/nothing/here"])


def test_pins_have_hashes_and_exact_versions_and_no_addresses() -> None:
    python = peers.PYTHON_PINS.read_text()
    node = (peers.HERE / "package-lock.json").read_text()
    assert "://" not in python
    assert '"resolved"' not in node
    for name in ("kinto==", "litequeue==", "persist-queue=="):
        assert name in python
    assert '"integrity"' in node


def test_growth_is_the_median_of_what_rounds_say() -> None:
    times = {3: [1.0, 1.0, 1.0], 5: [2.0, 4.0, 2.0], 7: [3.0, 8.0, 2.2]}
    assert growth.span(times) == (5, 7)
    assert growth.growth(times, 5, 7) == 1.5
    assert growth.span({3: [1.0], 5: [1.0]}) == (3, 5)


def test_ours_is_compared_with_those_who_ran_and_the_others_are_named() -> None:
    rates = {"ours": [1000.0, 3000.0, 2000.0], "naive": [2000.0, 2000.0, 2000.0]}
    gone = {"pouch": "no npm", "kinto": "no network", "kinto-pg": "no server"}
    notes = {"ours": "how", "naive": "how"}
    called = {"ours": 0.5, "naive": None}
    found = {f.name: f for f in transfer._figures(rates, gone, notes, called)}
    assert found["sync: ours ÷ naive reference"].value == 1
    assert found["sync: ours ÷ naive reference"].target == 0.5
    pouch = found["sync: ours ÷ PouchDB → express-pouchdb"]
    assert (pouch.value, pouch.note, pouch.target, pouch.met) == (None, "no npm", 5, None)
    assert "0.5 sync calls per 500 records" in found["sync: ours, end to end"].note
    assert "not counted" in found["sync: naive reference"].note


def test_a_peer_that_fails_in_the_middle_is_out_and_ours_is_never_excused() -> None:
    there, missing = dict.fromkeys(("ours", "pouch")), {}
    with transfer._excused("pouch", there, missing):
        raise KeyError("lost")
    assert list(there) == ["ours"]
    assert missing == {"pouch": "KeyError: 'lost'"}
    with pytest.raises(KeyError), transfer._excused("ours", there, missing):
        raise KeyError("lost")
