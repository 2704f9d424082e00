"""Answers out and receipts in by stick: a real centre, the desk's own import, the real commands."""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.fleet import carrying as desk
from kiosk.fleet.admin import Admin
from kiosk.fleet.usb import Stick as DeskStick
from kiosk.recorder import Recorder
from sync import device_cli, identity
from sync.contract import bundle, carried, signing, wire
from sync.contract import code as codes
from sync.contract.bundle import Storage
from sync.cursor import Memory
from sync.outbox import Outbox
from tests.faults.house import example
from tests.sync.collector.world import Centre, running
from tests.sync.device.conftest import Field
from tests.sync.device.test_wipe_command import said


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with running(str(tmp_path_factory.mktemp("centre") / "centre.db")) as found:
        found.set_up(*(f"d{n}" for n in range(60)))
        yield found


left = iter(range(60))


class Site:
    """A device that was enrolled at the desk's network and has none since; its stick."""

    def __init__(self, real: Centre, device: Field, name: str, usb: Path) -> None:
        self.real, self.device, self.name, self.usb = real, device, name, usb
        secret = real.code(name)
        key = bundle.key_text(real.organisation.public_key())
        whole = codes.grouped(codes.secret(secret) + codes.check(secret, key))
        device.wish(code=whole, organisation_key=key)
        device.run(seconds=2)
        device.restart()
        usb.mkdir()

    @property
    def here(self) -> Path:
        return self.usb / "hymio" / self.name

    @property
    def answers(self) -> list[Path]:
        return sorted((self.here / "answers").glob("*"))

    @property
    def receipts(self) -> list[Path]:
        return sorted((self.here / "receipts").glob("*"))

    def sync(self, *words: str) -> Result:
        return CliRunner().invoke(device_cli.sync, ["--data", str(self.device.data.root), *words])

    def out(self) -> str:
        done = self.sync("--to-stick", str(self.usb))
        assert done.exit_code == 0, done.output
        return done.output

    def back(self) -> str:
        done = self.sync("--from-stick", str(self.usb))
        assert done.exit_code == 0, done.output
        return done.output

    def refused(self) -> str:
        """What is said when something on the stick is refused: nothing has moved then."""
        before = self.cursors
        done = self.sync("--from-stick", str(self.usb))
        assert (done.exit_code, self.cursors) == (1, before), done.output
        return done.output

    def desk(self) -> list[str]:
        """The desk's import; what became of each file."""
        with Admin(f"http://127.0.0.1:{self.real.port}", self.real.operator) as admin:
            stick = DeskStick(self.usb)
            # Every answer of the centre's has a moment of its own.
            self.real.clock.at += 1
            return [one.said for one in desk.bring(stick, admin, self.real.organisation)]

    def network(self) -> None:
        """The sender runs, for once with a network."""
        self.device.wait()
        self.device.restart()

    @property
    def cursors(self) -> dict[str, int]:
        memory = Memory(self.device.data.sync_db)
        try:
            return memory.cursors()
        finally:
            memory.close()

    @property
    def cursor(self) -> int:
        return max(self.cursors.values(), default=0)

    def learn(self, **facts: str) -> None:
        memory = Memory(self.device.data.sync_db)
        memory.learn(**facts)
        memory.close()

    def at_centre(self) -> int:
        return int(self.rows("select count(*) from records where device = ?")[0][0])

    def rows(self, query: str) -> list[Any]:
        with self.real.store.tx() as tx:
            return list(tx.rows(query, (self.name,)))

    def heard(self) -> int:
        """When the centre last heard of the device, ms."""
        return int(self.rows("select last_seen_ms from devices where id = ?")[0][0])

    def restore(self, have: int) -> None:
        """The centre comes back from a backup that has only so much."""
        with self.real.store.tx() as tx:
            tx.run("delete from records where device = ? and seq > ?", (self.name, have))
            tx.run(
                "update epochs set have = ?, top = ?, tail = ?, stored = ? where device = ?",
                (have, have, have, have, self.name),
            )

    def batch(self, path: Path) -> wire.Batch:
        body = gzip.decompress(carried.read_batch(path.read_bytes()).body)
        return msgspec.json.decode(body, type=wire.Batch)

    def publish(self, version: int, **changes: Any) -> bytes:
        """A signed configuration of this device, as the desk exports it."""
        values = {"device": self.name, "version": version, **changes}
        return bundle.pack(msgspec.structs.replace(example(1), **values), self.real.organisation)

    def carry_config(self, version: int, raw: bytes) -> None:
        DeskStick(self.usb).put_bundle(self.name, version, raw)


@pytest.fixture
def site(real: Centre, make: Callable[..., Field], tmp_path: Path) -> Site:
    name = f"d{next(left)}"
    return Site(real, make(name, url=f"http://127.0.0.1:{real.port}"), name, tmp_path / "usb")


# --- there and back -------------------------------------------------------------------------------


def test_answers_go_out_and_receipts_come_back(site: Site) -> None:
    made = site.device.commit(2300)
    shown = site.out()
    assert f"{site.name}: 2,300 records in 2 files on {site.usb}, the oldest from 20" in shown
    assert "hymio fleet import" in shown
    assert all(path.stat().st_size < 1 << 20 for path in site.answers)
    assert [path.suffix for path in site.answers] == [".json", ".json"]
    assert site.cursor == 0
    assert site.device.ledger()["to_send"] == 2300
    assert site.desk() == ["received", "received"]
    assert site.cursor == 0
    shown = site.back()
    assert "the centre has all up to 2300 of" in shown
    assert (site.cursor, site.at_centre()) == (2300, 2300)
    found = site.device.ledger()
    assert (found["acknowledged"], found["to_send"], found["created"]) == (2300, 0, len(made))
    # The terminal prunes by this file, and the sender is not running.
    told = json.loads(site.device.data.sender_json.read_text())
    assert list(told["have"].values()) == [2300]
    # Nothing on the stick is of use any more but an empty batch, which tells how the device is.
    assert ": 0 records in 1 file" in site.out()
    assert ([p.name[-6:] for p in site.answers], site.receipts) == (["0.json"], [])
    assert site.batch(site.answers[0]).status["backlog"] == 0
    assert site.desk() == ["received"]


def test_no_file_is_large_whatever_people_write(site: Site) -> None:
    chance = random.Random(1)
    signs = [chr(code) for code in range(32, 127) if chr(code) not in '"\\']
    texts = ("".join(chance.choices(signs, k=2000)) for _ in range(600))
    site.device.recorder.commit(*(said(text) for text in texts))
    assert ": 600 records in 3 files" in site.out()
    assert all(path.stat().st_size < 1 << 20 for path in site.answers)


def test_nothing_to_send_is_an_empty_batch_of_each_file_of_answers(site: Site) -> None:
    site.device.commit(1)
    site.network()
    site.device.recorder.close()
    machine = partial(Outbox, machine=lambda: "another")
    site.device.recorder = Recorder(site.device.data, Storage(ballast_mb=0), open_outbox=machine)
    site.out()
    found = [site.batch(path) for path in site.answers]
    assert sorted((b.items, b.tail_seq, b.status["have"]) for b in found) == [
        ([], 0, 0),
        ([], 1, 1),
    ]
    before = site.heard()
    assert site.desk() == ["received", "received"]
    assert site.heard() > before
    shown = site.back()
    assert "up to 0 of" in shown
    assert "up to 1 of" in shown


def test_it_is_signed_for_the_path_the_public_sees(site: Site) -> None:
    site.device.commit(1)
    site.learn(endpoint="https://palaute.example/hymio")
    site.out()
    (path,) = site.answers
    batch = carried.read_batch(path.read_bytes())
    key = identity.load(site.device.data.key)
    assert key is not None
    ours = bundle.key_text(key.public_key())
    known = [ours].__contains__
    verify = signing.verify
    assert verify("POST", "/hymio/v1/batches", batch.headers, batch.body, known=known) == ours
    with pytest.raises(signing.SignatureRefused):
        verify("POST", "/v1/batches", batch.headers, batch.body, known=known)


def test_written_again_it_replaces_what_is_there(site: Site) -> None:
    site.device.commit(3)
    site.out()
    (first,) = site.answers
    site.device.commit(2)
    site.out()
    assert site.answers == [first]
    assert [item.seq for item in site.batch(first).items] == [1, 2, 3, 4, 5]
    site.desk()
    site.device.commit(2)
    # Not read back yet: everything goes along again, and nothing counts twice.
    site.out()
    assert site.desk() == ["received"]
    site.back()
    assert (site.cursor, site.at_centre()) == (7, 7)


def test_a_stick_without_its_batches_still_counts(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    shutil.rmtree(site.here / "answers")
    site.back()
    assert site.cursor == 3


def test_two_sticks_take_turns(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    site.device.commit(3)
    site.out()
    shutil.copytree(site.usb, other)
    site.device.commit(3)
    site.out()
    site.desk()
    site.usb, newer = other, site.usb
    site.desk()
    site.back()
    assert site.cursor == 3
    site.usb = newer
    site.back()
    assert (site.cursor, site.at_centre()) == (6, 6)


def test_both_at_once_receipts_first(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    site.device.commit(2)
    done = site.sync("--from-stick", str(site.usb), "--to-stick", str(site.usb))
    assert done.exit_code == 0, done.output
    assert ": 2 records in 1 file" in done.output
    assert site.receipts == []


def test_a_new_key_waits_for_a_network(site: Site) -> None:
    """The centre takes the old one until it has heard of the new one, which a stick cannot say."""
    site.device.commit(1)
    identity.load_or_make(site.device.data.key_new)
    site.out()
    assert site.desk() == ["received"]
    site.back()
    assert site.cursor == 1


# --- receipts that move nothing -------------------------------------------------------------------


def resigned(path: Path, key: Ed25519PrivateKey, **changes: Any) -> None:
    """Another receipt, properly signed."""
    found = msgspec.json.decode(path.read_bytes(), type=carried.CarriedReceipt)
    body = json.dumps(json.loads(found.body) | changes).encode()
    path.write_bytes(carried.write_receipt(200, found.headers, body, key))


def test_a_forged_receipt_is_refused(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    (path,) = site.receipts
    whole = path.read_bytes()
    resigned(path, Ed25519PrivateKey.generate())
    assert "refused: the receipt is signed by a key this device does not trust" in site.refused()
    found = msgspec.json.decode(whole, type=carried.CarriedReceipt)
    body = found.body.replace(b'"have":3', b'"have":9')
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(found, body=body)))
    assert "signature does not fit" in site.refused()
    path.write_bytes(whole[:-20])
    assert "refused: the file of receipt is damaged" in site.refused()
    path.write_bytes(whole)
    site.back()
    assert site.cursor == 3


def test_a_receipt_of_another_device_or_centre_is_refused(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    (path,) = site.receipts
    whole = path.read_bytes()
    signer = site.real.organisation
    resigned(path, signer, digest=signing.content_digest(b"another's"))
    assert "for no batch this device remembers" in site.refused()
    for changes in ({"epoch": "other"}, {"centre": "other"}, {"have": -1}, {"v": 9}):
        path.write_bytes(whole)
        resigned(path, signer, **changes)
        assert "refused: it is for another centre, epoch or name" in site.refused()
    path.write_bytes(whole)
    site.learn(device="renamed")
    (site.usb / "hymio" / "renamed").symlink_to(site.here)
    assert "nothing for renamed" in site.back()
    (site.usb / "hymio" / "renamed").unlink()
    shutil.copytree(site.here, site.usb / "hymio" / "renamed")
    assert "refused: it is for another centre, epoch or name" in site.refused()


def test_a_refusal_of_the_centre_s_is_told(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.real.admin("POST", f"devices/{site.name}/revoke", {"reason": "stolen"})
    assert site.desk() == ["refused"]
    assert "the centre did not take the answers: 403 device_revoked" in site.refused()


def test_repeated_receipts_move_nothing(site: Site, tmp_path: Path) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    shutil.copytree(site.usb, tmp_path / "copy")
    site.back()
    assert "noted before" in site.back()
    site.device.commit(1)
    site.out()
    site.usb = tmp_path / "copy"
    assert "noted before" in site.back()
    assert site.cursor == 3


def test_a_stick_found_after_the_network_came_turns_nothing_back(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    site.device.commit(2)
    site.network()
    assert site.cursor == 5
    assert "older than what this device knows by now" in site.back()
    assert site.cursor == 5
    assert json.loads(site.device.data.sender_json.read_text())["new_epoch"] == []


def test_a_batch_uploaded_after_the_network_went_on_asks_for_no_new_file(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.device.commit(2)
    site.network()
    # The centre has more by now than there was when the batch was written.
    site.desk()
    site.back()
    assert json.loads(site.device.data.sender_json.read_text())["new_epoch"] == []
    assert (site.cursor, site.at_centre(), site.device.ledger()["lost"]) == (5, 5, 0)


def test_a_centre_that_has_less_is_filled_again(site: Site) -> None:
    site.device.commit(4)
    site.network()
    site.device.commit(2)
    site.out()
    (path,) = site.answers
    assert [item.seq for item in site.batch(path).items] == [5, 6]
    site.restore(1)
    site.desk()
    assert "the centre has only 1 of 4" in site.back()
    assert site.cursor == 1
    told = json.loads(site.device.data.sender_json.read_text())
    assert list(told["have"].values()) == [1]
    assert ": 5 records in 1 file" in site.out()
    site.desk()
    site.back()
    assert (site.cursor, site.at_centre()) == (6, 6)
    assert site.device.ledger()["lost"] == 0


def test_what_is_here_and_goes_again_is_never_lost(site: Site, tmp_path: Path) -> None:
    """The first receipt turns the device back, the second is far ahead: nothing lay between."""
    site.device.commit(4)
    site.out()
    old = tmp_path / "old"
    shutil.copytree(site.usb, old)
    site.network()
    site.device.commit(2300)
    site.out()
    assert len(site.answers) == 2
    site.restore(1)
    second = site.answers[1].rename(tmp_path / site.answers[1].name)
    site.desk()
    first = site.receipts[0].read_bytes()
    site.usb, usb = old, site.usb
    site.desk()
    site.usb = usb
    second.rename(site.here / "answers" / second.name)
    site.desk()
    site.receipts[0].write_bytes(first)
    shown = site.back()
    assert "the centre has only 1 of 4" in shown
    assert (site.cursor, site.device.ledger()["lost"]) == (2304, 0)


def test_what_the_centre_does_not_count_is_noted(site: Site) -> None:
    site.device.commit(3)
    site.out()
    site.desk()
    (path,) = site.receipts
    told = [
        {"seq": 2, "verdict": "quarantined", "code": "bad"},
        {"seq": 99, "verdict": "quarantined", "code": "not ours"},
    ]
    resigned(path, site.real.organisation, exceptions=told)
    site.back()
    found = site.device.ledger()
    assert (found["acknowledged"], found["quarantined"]) == (2, 1)


def test_a_held_record_goes_as_its_placeholder(site: Site) -> None:
    site.device.commit(3)
    epoch = next(site.device.data.outbox_dir.glob("*.db")).stem
    memory = Memory(site.device.data.sync_db)
    memory.hold(epoch, 2, "bad_envelope")
    memory.close()
    site.out()
    assert [bool(item.held) for item in site.batch(site.answers[0]).items] == [False, True, False]
    site.desk()
    # Held until it went in full, whatever the centre says of its placeholder.
    resigned(site.receipts[0], site.real.organisation, exceptions=[])
    site.back()
    found = site.device.ledger()
    assert (site.cursor, found["held"], found["acknowledged"]) == (3, 1, 2)


# --- configurations -------------------------------------------------------------------------------


def test_a_newer_configuration_is_taken_and_no_other(site: Site) -> None:
    site.carry_config(4, site.publish(4))
    assert "4.bundle: configuration 4 is here" in site.back()
    data = site.device.data
    assert data.bundle_file(4).exists()
    assert json.loads(data.sender_json.read_text())["config"] == 4
    assert "this configuration is here" in site.back()
    site.carry_config(3, site.publish(3))
    assert "3.bundle: refused: configuration 3 is older than 4" in site.refused()
    raw = site.publish(5)
    site.carry_config(5, raw.replace(b'"signature":"', b'"signature":"AAAA', 1))
    assert "5.bundle: refused: the configuration's signature does not fit" in site.refused()
    site.carry_config(6, site.publish(6, device="another"))
    assert "6.bundle: refused: the configuration is for another" in site.refused()
    stranger = Ed25519PrivateKey.generate()
    own = bundle.unpack(raw, trusted=(bundle.key_text(site.real.organisation.public_key()),))
    site.carry_config(7, bundle.pack(own, stranger))
    # In one go with answers, the centre hears of it.
    both = site.sync("--from-stick", str(site.usb), "--to-stick", str(site.usb))
    assert both.exit_code == 1
    assert "a key this device does not trust" in both.output
    told: Any = site.batch(site.answers[0]).status["refused"]
    assert [one["version"] for one in told] == [7]
    assert sorted(path.name for path in data.config_dir.iterdir()) == ["4.bundle"]


# --- sticks and devices that cannot ---------------------------------------------------------------


def failing(monkeypatch: pytest.MonkeyPatch, usb: Path, number: int, after: int) -> None:
    """The stick refuses to write after so many files."""
    real, done = os.fsync, [0]

    def fsync(fd: int) -> None:
        path = str(Path(f"/proc/self/fd/{fd}").readlink())
        if path.startswith(str(usb)) and path.endswith(".part"):
            done[0] += 1
            if done[0] > after:
                raise OSError(number, os.strerror(number))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)


def test_on_a_full_stick_what_fits_is_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.device.commit(4500)
    with monkeypatch.context() as patch:
        failing(patch, site.usb, errno.ENOSPC, after=1)
        done = site.sync("--to-stick", str(site.usb))
    assert done.exit_code == 1
    (path,) = site.answers
    fit = len(site.batch(path).items)
    assert f": {fit:,} records in 1 file" in done.output
    assert "the stick is full: make room on it" in done.output
    assert f"{4500 - fit:,} of 4,500 are not on it" in done.output
    assert site.desk() == ["received"]
    site.back()
    assert 1000 < site.cursor == fit
    assert f": {4500 - fit:,} records in 2 files" in site.out()
    # What the centre has went to make room.
    assert len(site.answers) == 2


def test_a_stick_that_cannot_be_written_is_said(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.device.commit(1)
    for number, words in ((errno.EROFS, "write protection"), (errno.EIO, "plug it in again")):
        with monkeypatch.context() as patch:
            failing(patch, site.usb, number, after=0)
            done = site.sync("--to-stick", str(site.usb))
        assert (done.exit_code, site.answers) == (1, [])
        assert words in done.output
        assert "1 of 1 are not on it" in done.output


def test_pulled_out_at_any_moment_no_half_file_counts(site: Site) -> None:
    site.device.commit(3)
    site.out()
    (path,) = site.answers
    torn = path.with_name("x-9.json.part")
    torn.write_bytes(path.read_bytes()[:50])
    path.rename(path.with_name("x-1.json"))
    site.out()
    assert site.answers == [path]


def test_links_on_a_stick_lead_nowhere(site: Site, tmp_path: Path) -> None:
    site.device.commit(1)
    outside = tmp_path / "outside"
    outside.mkdir()
    site.here.mkdir(parents=True)
    (site.here / "answers").symlink_to(outside)
    (site.here / "receipts").symlink_to(outside)
    done = site.sync("--to-stick", str(site.usb))
    assert done.exit_code == 1
    assert list(outside.iterdir()) == []
    assert "nothing for" in site.back()


def test_a_running_sender_must_be_stopped(site: Site) -> None:
    fd = os.open(site.device.data.sync_lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    for word in ("--to-stick", "--from-stick"):
        done = site.sync(word, str(site.usb))
        assert done.exit_code == 1
        assert "stop it for a moment (systemctl stop hymio-sync)" in done.output
    os.close(fd)


def test_wrong_use(site: Site, tmp_path: Path) -> None:
    assert site.sync("--to-stick", str(tmp_path / "nowhere")).exit_code == 2
    assert site.sync("--once", "--to-stick", str(site.usb)).exit_code == 2
    words = ["--data", str(tmp_path / "typo"), "--to-stick", str(site.usb)]
    done = CliRunner().invoke(device_cli.sync, words)
    assert (done.exit_code, (tmp_path / "typo").exists()) == (2, False)


def test_only_an_enrolled_and_confirmed_device_writes(site: Site) -> None:
    site.device.commit(1)
    site.learn(unconfirmed="yes")
    done = site.sync("--to-stick", str(site.usb))
    assert (done.exit_code, site.answers) == (1, [])
    assert "confirm it on the screen first" in done.output
    site.learn(device="")
    done = site.sync("--from-stick", str(site.usb))
    assert done.exit_code == 1
    assert "not enrolled" in done.output


def test_a_damaged_file_is_told_and_what_is_before_it_goes(site: Site) -> None:
    site.device.commit(5)
    path = next(site.device.data.outbox_dir.glob("*.db"))
    with sqlite3.connect(path) as db:
        db.execute("update records set rec = x'7b7d' where seq = 4")
    db.close()
    done = site.sync("--to-stick", str(site.usb))
    assert done.exit_code == 1
    assert "start the terminal, which salvages it" in done.output
    assert "2 of 5 are not on it" in done.output
    assert [item.seq for item in site.batch(site.answers[0]).items] == [1, 2, 3]
