"""`hymio collector` as an administrator types it, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import argon2
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.collector import maintenance
from sync.collector.cli import collector
from sync.collector.local import Door
from sync.collector.purge import purge_text
from sync.collector.store import Tx, open_reader, open_store
from sync.contract import bundle
from tests.sync.collector.test_collector_model import NOW_MS, World
from tests.sync.collector.world import Centre, answer, item

KEY = bundle.key_text(Ed25519PrivateKey.generate().public_key())


def run(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(collector, list(words), input=stdin)


@pytest.fixture
def served(database: str) -> Iterator[subprocess.Popen[str]]:
    """`serve --port 0` on a database nobody has migrated."""
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "kiosk.cli", "collector", "serve"),
            *("--database", database, "--port", "0", "--no-web"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def address(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    line = child.stdout.readline()
    found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
    assert found, line + child.communicate()[1]
    return found[1]


def test_serve_migrates_a_fresh_database_and_ends_cleanly(
    database: str, served: subprocess.Popen[str], tmp_path: Path
) -> None:
    url = address(served)
    for path in ("/livez", "/readyz"):
        with urllib.request.urlopen(url + path) as reply:
            assert reply.status == 200
    # Whoever works with a centre does so while it runs, whatever its database.
    added = run("add-operator", "--database", database, "--name", "x", "--key", KEY)
    assert added.exit_code == 0, added.output
    assert run("add-operator", "--database", database, "--name", "y", "--key", KEY).exit_code == 2
    assert run("add-user", "--database", database, "--name", "Aino").exit_code == 0
    marked = run("flags", "--database", database, "--format", "json")
    assert json.loads(marked.stdout)["changed"] == 0
    if database.startswith("sqlite"):
        blocked = run("purge", "--database", database, "--text-days", "9")
        assert blocked.exit_code == 3
        assert "another process" in blocked.output
        door = Path(database.removeprefix("sqlite:///") + ".socket")
        assert stat.S_IMODE(door.stat().st_mode) == 0o600
    with open_reader(database) as store, store.read() as connection:
        tx = Tx(connection)
        assert tx.rows("select name, key from operators") == [("x", KEY)]
        assert tx.rows("select name, role from users") == [("Aino", "viewer")]
    assert run("verify", "--database", database).exit_code == 0
    served.send_signal(signal.SIGTERM)
    _, said = served.communicate(timeout=30)
    assert served.returncode == 0
    assert "Traceback" not in said
    assert "the centre has ended" in said
    assert run("add-operator", "--database", database, "--name", "x", "--key", KEY).exit_code == 0
    assert not list(tmp_path.glob("*.socket"))


def test_a_command_that_can_ask_nobody_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = str(tmp_path / "centre.db")
    with open_store(database, fresh=True):
        assert not Path(f"{database}.socket").exists()
        for _ in range(2):
            done = run("add-user", "--database", database, "--name", "Aino")
            assert done.exit_code == 3
            assert "as the user the centre runs as" in done.output
            # What a centre that was killed leaves behind.
            if not Path(f"{database}.socket").exists():
                # By its bare name: a whole path may be longer than a socket's name may be.
                monkeypatch.chdir(tmp_path)
                with socket.socket(socket.AF_UNIX) as left:
                    left.bind("centre.db.socket")
        assert Path(f"{database}.socket").exists()


def test_a_change_that_fails_in_the_centre_is_told_and_harms_nothing(tmp_path: Path) -> None:
    database = str(tmp_path / ("long" * 30) / "centre.db")  # longer than a socket's name may be
    with open_store(database, fresh=True) as store:
        door = Door(store)
        door.start()
        try:
            with store.tx() as tx:
                tx.run("alter table users rename to away")
            done = run("add-user", "--database", database, "--name", "Aino")
            assert (done.exit_code, "users" in done.output) == (3, True)
            with store.tx() as tx:
                tx.run("alter table away rename to users")
            assert run("add-user", "--database", database, "--name", "Aino").exit_code == 0
        finally:
            door.close()
        assert run("add-user", "--database", database, "--name", "Aino").exit_code == 3


def test_serve_says_when_the_port_is_taken(sqlite_centre: Centre, tmp_path: Path) -> None:
    done = run("serve", "--database", str(tmp_path / "c.db"), "--port", str(sqlite_centre.port))
    assert done.exit_code == 3
    assert "cannot listen" in done.output


def test_migrate_can_be_repeated(database: str) -> None:
    first, second = (run("migrate", "--database", database) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "now at" in first.output
    assert "now at" not in second.output


def test_operators_and_users_are_added_and_changed(database: str) -> None:
    def ok(*words: str, stdin: str = "") -> str:
        done = run(*words, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.output

    ok("migrate", "--database", database)
    named = ("--database", database, "--name", "Aino")
    assert bundle.fingerprint(KEY) in ok("add-operator", *named, "--key", KEY)
    ok("add-operator", *named, "--key", KEY)
    assert run("add-operator", *named, "--key", "junk").exit_code == 2
    stolen = run("add-operator", "--database", database, "--name", "Eero", "--key", KEY)
    assert stolen.exit_code == 2

    printed = ok("add-user", *named, "--role", "admin").strip().rpartition(" ")[2]
    with open_reader(database) as store, store.read() as connection:
        role, hashed = Tx(connection).rows("select role, password_hash from users")[0]
    assert role == "admin"
    assert hashed.startswith("$argon2id$")
    assert argon2.PasswordHasher().verify(hashed, printed)
    assert "correct" not in ok("add-user", *named, "--password-stdin", stdin="correct horse\n")
    assert run("add-user", *named, "--password-stdin", stdin="short\n").exit_code == 2
    with open_reader(database) as store, store.read() as connection:
        role, hashed = Tx(connection).rows("select role, password_hash from users")[0]
    assert role == "viewer"
    assert argon2.PasswordHasher().verify(hashed, "correct horse")


def test_verify_exits_1_on_a_difference_and_rebuild_repairs_it(database: str) -> None:
    world = World(database)
    world.post("d1", "e1", [item(1, answer("v1")), item(3, answer("v2"))])
    with world.store.tx() as tx:
        tx.run("update daily_counts set n = 5")
    world.store.close()
    done = run("verify", "--database", database, "--format", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["differences"]
    assert run("rebuild", "--database", database).exit_code == 0
    done = run("verify", "--database", database)
    assert done.exit_code == 0, done.output
    assert "records: 2" in done.output


def test_restored_revokes_again_and_closes_codes(database: str, tmp_path: Path) -> None:
    with open_store(database, fresh=True) as store, store.tx() as tx:
        tx.run("insert into devices(id, state) values ('d1', 'active')")
        tx.run("insert into keys(key, device, state) values ('k', 'd1', 'active')")
        tx.run("insert into codes(code_sha256, device, expires_ms) values ('c', 'd2', 9)")
    outside = tmp_path / "revoked.txt"
    outside.write_text("d1 stolen in May\n\n")
    done = run(
        *("restored", "--database", database, "--revocations", str(outside), "--format", "json")
    )
    assert json.loads(done.stdout) == {
        "text days": None,
        "purged": 0,
        "revoked": ["d1"],
        "codes closed": 1,
    }
    with open_reader(database) as store, store.read() as connection:
        assert Tx(connection).rows("select state, reason from keys") == [
            ("revoked", "stolen in May")
        ]


def test_purge_takes_the_words_for_good_and_leaves_the_counts(database: str) -> None:
    world = World(database)
    said = {"text": "Nimeni on Aino", "redacted": {"phone": 1}}
    sent = [
        item(1, answer("v", "nps", 1, 9), "a"),
        item(2, answer("v", "comment", 2, {"text": "Aino, ensin"}), "b"),
        item(3, answer("v", "comment", 3, said), "c"),
        item(4, b'{"what":"Aino?"}', "d"),
    ]
    world.post("d1", "e1", sent)
    world.post("d1", "e1", [item(5, answer("w", "comment", 1, {"text": "Aino 2"}), "a")])
    before = world.derived()["daily_counts"]

    def everything() -> str:
        with world.store.read() as connection:
            tx = Tx(connection)
            held = tx.rows("select raw from records union all select raw from conflicts")
            return repr([bytes(raw) for (raw,) in held if raw]) + repr(
                tx.rows("select text from answers")
            )

    year = 366 * 86_400_000
    assert purge_text(world.store, days=400, now_ms=NOW_MS + year)["records"] == 0
    assert "Aino" in everything()
    done = purge_text(world.store, days=365, now_ms=NOW_MS + year)
    assert (done["records"], done["conflicts"]) == (3, 1)
    assert "Aino" not in everything()
    receipt = world.post("d1", "e1", sent)  # a replay
    assert [e.code for e in receipt.exceptions] == ["schema"]
    assert "Aino" not in everything()
    assert world.derived()["daily_counts"] == before
    assert maintenance.verify(world.store)["differences"] == []
    kept = world.derived()
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert world.derived() == kept
    world.store.close()
    assert run("purge", "--database", database, "--text-days", "365").exit_code == 0


def test_restored_purges_before_anything_can_be_read(database: str) -> None:
    world = World(database)
    world.post("d1", "e1", [item(1, answer("v", "comment", 1, {"text": "Aino"}))])

    def words() -> list[str | None]:
        with open_reader(database) as store, store.read() as connection:
            return [row[0] for row in Tx(connection).rows("select text from answers")]

    def restore(*more: str) -> dict[str, Any]:
        done = run("restored", "--database", database, "--format", "json", *more)
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    world.store.close()
    assert restore()["text days"] is None
    # The backup was made after a purge that kept this text: the same number of days holds again.
    with open_store(database) as store:
        purge_text(store, days=20, now_ms=NOW_MS)
    assert words() == ["Aino"]
    done = restore()
    assert (done["text days"], done["purged"], words()) == (20, 1, [None])
    assert restore("--text-days", "0")["text days"] == 0
    assert run("verify", "--database", database).exit_code == 0


@pytest.mark.parametrize("command", ["verify", "rebuild", "restored"])
def test_a_database_that_is_not_there_exits_3(command: str) -> None:
    done = run(command, "--database", "postgresql://u:secret@127.0.0.1:1/none")
    assert done.exit_code == 3
    assert "secret" not in done.output


def test_wrong_use_exits_2() -> None:
    assert run("serve").exit_code == 2
    assert run("verify", "--database", "mysql://h/d").exit_code == 2


@pytest.mark.parametrize("command", sorted(collector.commands))
def test_every_command_explains_itself(command: str) -> None:
    done = run(command, "--help")
    assert done.exit_code == 0
    assert collector.commands[command].help
    for option in collector.commands[command].params:
        assert getattr(option, "help", "") or option.name == "form", option.name
