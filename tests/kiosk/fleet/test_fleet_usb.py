"""A USB stick between the desk and a device without network, and what else may be on one."""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kiosk.fleet import carrying, keys
from kiosk.fleet.errors import UnreachableError
from kiosk.fleet.usb import Stick
from sync.contract import bundle as bundles
from sync.contract import carried, signing, wire
from tests.kiosk.fleet.office import SEEN, Office, stranger
from tests.sync.collector.world import Device, answer, items


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    return folder


def carry(usb: Path, terminal: Device, found: list[wire.Item], **changes: Any) -> str:
    """What a device puts onto a stick: the request it would have posted."""
    body = gzip.compress(terminal.batch(found, status=SEEN, **changes), mtime=0)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    headers |= signing.sign("POST", "/v1/batches", headers, body, terminal.key)
    first, last = (found[0].seq, found[-1].seq) if found else (0, 0)
    name = carried.batch_name(terminal.epoch, first)
    answers = usb / "hymio" / terminal.name / "answers"
    answers.mkdir(parents=True, exist_ok=True)
    raw = carried.write_batch(headers, body, epoch=terminal.epoch, first=first, last=last)
    (answers / name).write_bytes(raw)
    return name


def receipt(usb: Path, device: str, name: str, office: Office) -> carried.CarriedReceipt:
    raw = (usb / "hymio" / device / "receipts" / name).read_bytes()
    return carried.read_receipt(raw, trusted=[office.organisation])


def counted(office: Office) -> int:
    with office.centre.store.tx() as tx:
        return int(tx.value("select coalesce(sum(stored), 0) from epochs"))


# --- answers --------------------------------------------------------------------------------------


def test_answers_come_by_stick_as_they_were_signed_and_receipts_go_back(
    published: Office, usb: Path
) -> None:
    terminals = [published.enrolled(f"esim-000{n}") for n in (1, 2)]
    found = items([answer("v1"), answer("v2", n=2), answer("v3", n=3)])
    names = [carry(usb, terminal, found) for terminal in terminals]
    more = carry(usb, terminals[0], items([answer("v4", n=4)], 4))
    shown = published.ok("import", str(usb))
    assert "esim-0001: 2 files, 4 records received by the centre\n" in shown
    assert "esim-0002: 1 file, 3 records received by the centre\n" in shown
    assert "take the stick back" in shown
    assert counted(published) == 7
    for terminal, name in zip(terminals, names, strict=True):
        batch = carried.read_batch((usb / "hymio" / terminal.name / "answers" / name).read_bytes())
        back = msgspec.json.decode(
            receipt(usb, terminal.name, name, published).body, type=wire.Receipt
        )
        assert (back.have, back.digest, back.epoch) == (3, batch.digest, terminal.epoch)
    assert receipt(usb, "esim-0001", more, published).status == 200
    assert published.row("esim-0001")["ledger"]["acknowledged"] == 4


def test_an_import_can_be_repeated(published: Office, usb: Path) -> None:
    carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    first = published.json("import", str(usb))
    second = published.json("import", str(usb))
    assert [row["said"] for row in first["files"] + second["files"]] == ["received"] * 2
    assert counted(published) == 1


def test_a_dry_run_uploads_nothing(published: Office, usb: Path) -> None:
    carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    assert published.ok("import", str(usb), "--dry-run") == "esim-0001: 1 file, to upload\n"
    assert counted(published) == 0
    assert not (usb / "hymio/esim-0001/receipts").exists()


def test_one_bad_file_does_not_stop_the_others(published: Office, usb: Path) -> None:
    terminal = published.enrolled("esim-0001")
    good = carry(usb, terminal, items([answer("v1")]))
    answers = usb / "hymio/esim-0001/answers"
    bad = carried.batch_name("0", 1)
    (answers / bad).write_bytes((answers / good).read_bytes()[:-30])
    (answers / "._x-1.json").write_bytes(b"left by another computer")
    unknown = published.terminal("esim-0002")
    strange = carry(usb, unknown, items([answer("v2")]))
    done = published.fleet("import", str(usb))
    assert done.exit_code == 1
    assert f"esim-0001/answers/{bad}: damaged: the file of answers is damaged" in done.output
    assert f"esim-0002/answers/{strange}: refused: unknown_key" in done.output
    assert counted(published) == 1
    assert receipt(usb, "esim-0001", good, published).status == 200
    assert receipt(usb, "esim-0002", strange, published).status == 401
    assert not (usb / "hymio/esim-0001/receipts" / bad).exists()


def test_a_batch_altered_on_the_way_is_refused(published: Office, usb: Path) -> None:
    terminal = published.enrolled("esim-0001")
    name = carry(usb, terminal, items([answer("v1", value=2)]))
    path = usb / "hymio/esim-0001/answers" / name
    batch = carried.read_batch(path.read_bytes())
    forged = gzip.decompress(batch.body).replace(b'"value":2', b'"value":9')
    forged = gzip.compress(forged, mtime=0)
    headers = batch.headers | {"Content-Digest": signing.content_digest(forged)}
    path.write_bytes(carried.write_batch(headers, forged, epoch=terminal.epoch, first=1, last=1))
    done = published.fleet("import", str(usb))
    assert (done.exit_code, counted(published)) == (1, 0)
    assert "refused: bad_signature" in done.output


def test_an_empty_stick_is_said(published: Office, usb: Path) -> None:
    assert published.ok("import", str(usb)) == f"no answers on {usb}\n"
    missing = published.fleet("import", str(usb / "nowhere"))
    assert missing.exit_code == 2
    assert "plugged in and mounted" in missing.output


def test_a_centre_that_cannot_be_reached_ends_with_3(published: Office, usb: Path) -> None:
    carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    published.url = "http://127.0.0.1:1"
    assert published.fleet("import", str(usb)).exit_code == 3


def test_receipts_need_the_key_that_devices_trust(published: Office, usb: Path) -> None:
    name = carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    (published.keys / "organisation.key").unlink()
    done = published.fleet("import", str(usb))
    assert done.exit_code == 2
    assert not (usb / "hymio/esim-0001/receipts" / name).exists()


def test_a_busy_centre_is_asked_again(published: Office, usb: Path) -> None:
    carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    busy = msgspec.json.encode(wire.Problem("x", "x", 503, "not_writable"))

    class Busy:
        url = published.url
        left = 2

        def forward(self, batch: carried.CarriedBatch) -> tuple[int, dict[str, str], bytes]:
            self.left -= 1
            if self.left >= 0:
                return 503, {"Retry-After": "7"}, busy
            with published.admin() as admin:
                return admin.forward(batch)

    waits: list[float] = []
    key = keys.read(published.keys, "organisation")
    centre: Any = Busy()
    (one,) = carrying.bring(Stick(usb), centre, key, pause=waits.append)
    assert (one.said, waits) == ("received", [7.0, 7.0])
    centre.left = 99
    with pytest.raises(UnreachableError, match="too busy"):
        list(carrying.bring(Stick(usb), centre, key, pause=waits.append))


# --- configurations -------------------------------------------------------------------------------


def test_export_puts_the_newest_configuration_in_place_of_an_older_one(
    published: Office, usb: Path
) -> None:
    assert "esim-0001: configuration 1\n" in published.ok("export", "esim-0001", "--to", str(usb))
    published.ok("publish", "--all")
    shown = published.ok("export", "esim-0001", "esim-0002", "--to", str(usb))
    assert shown == f"esim-0001: configuration 2\nesim-0002: configuration 2\n2 devices on {usb}\n"
    here = usb / "hymio/esim-0001"
    assert [path.name for path in here.iterdir()] == ["2.bundle"]
    raw = (here / "2.bundle").read_bytes()
    assert bundles.unpack(raw, trusted=[published.organisation]).version == 2  # type: ignore[arg-type]


def test_an_export_can_be_tried(published: Office, usb: Path) -> None:
    published.ok("export", "esim-0001", "--to", str(usb), "--dry-run")
    assert list(usb.iterdir()) == []


def test_receipts_of_another_stick_can_go_along(
    published: Office, usb: Path, tmp_path: Path
) -> None:
    name = carry(usb, published.enrolled("esim-0001"), items([answer("v1")]))
    published.ok("import", str(usb))
    other = tmp_path / "other"
    other.mkdir()
    told = published.json("export", "esim-0001", "--to", str(other), "--receipts", str(usb))
    assert told["devices"] == [{"device": "esim-0001", "versions": [1], "receipts": 1}]
    assert receipt(other, "esim-0001", name, published).status == 200


def test_a_stick_that_holds_another_organisation_s_configuration_is_refused(
    published: Office, usb: Path
) -> None:
    here = usb / "hymio/muu-0001"
    here.mkdir(parents=True)
    theirs = stranger()
    (here / "3.bundle").write_text(
        json.dumps({"v": 1, "key": theirs, "payload": "", "signature": ""})
    )
    done = published.fleet("export", "esim-0001", "--to", str(usb))
    assert done.exit_code == 2
    assert bundles.fingerprint(theirs) in done.output
    assert [path.name for path in (usb / "hymio").iterdir()] == ["muu-0001"]


def test_what_is_not_published_cannot_be_exported(office: Office, usb: Path) -> None:
    office.ok("publish", "esim-0002")
    done = office.fleet("export", "esim-0001", "--to", str(usb))
    assert done.exit_code == 1
    assert "publish first" in done.output


def test_links_on_a_stick_lead_nowhere(published: Office, usb: Path, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "e-1.json").write_bytes(b"private")
    here = usb / "hymio/esim-0001"
    here.mkdir(parents=True)
    (here / "answers").symlink_to(secret)
    (usb / "hymio/esim-0002").symlink_to(secret)
    stick = Stick(usb)
    assert stick.devices() == ["esim-0001"]
    assert stick.files("esim-0001", "answers") == []
    assert published.ok("import", str(usb)) == f"no answers on {usb}\n"


def test_a_full_stick_is_said_and_leaves_no_half_file(usb: Path, monkeypatch: Any) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Exception, match="No space left on device"):
        Stick(usb).put_bundle("esim-0001", 1, b"x")
    assert list((usb / "hymio/esim-0001").iterdir()) == []
