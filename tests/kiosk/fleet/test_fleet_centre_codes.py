"""Codes for one device and for many, on labels and sticks; terminals replaced and revoked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
import zxingcpp

from kiosk.layout.measure import FontError
from sync.contract import bundle as bundles
from sync.contract import code as codes
from tests.kiosk.fleet.office import Office, stranger
from tests.sync.collector.world import answer, items


def scanned(path: Path) -> dict[str, codes.Ticket]:
    """Code -> ticket of every label in a PDF."""
    found = {}
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            for seen in zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil()):
                ticket = codes.from_qr(seen.text)
                found[ticket.code] = ticket
    return found


def test_many_devices_get_codes_labels_and_a_stick_at_once(
    published: Office, tmp_path: Path
) -> None:
    pdf, usb = tmp_path / "labels.pdf", tmp_path / "usb"
    usb.mkdir()
    published.enrolled("esim-0001")
    before = len(published.audited())
    out = published.json("enrol", "--new", "--labels", str(pdf), "--usb", str(usb))
    made = {row["device"]: row for row in out["devices"]}
    assert sorted(made) == ["esim-0002", "esim-0003", "esim-0004"]
    tickets = scanned(pdf)
    assert {row["code"] for row in made.values()} == set(tickets)
    assert all(codes.holds(code, published.organisation) for code in tickets)
    for device, row in made.items():
        here = usb / "hymio" / device
        ticket = codes.read_ticket((here / "ticket.json").read_bytes())
        assert (ticket.code, ticket.device) == (row["code"], device)
        assert ticket.fingerprint == bundles.fingerprint(published.organisation)
        raw = (here / "1.bundle").read_bytes()
        assert bundles.unpack(raw, trusted=(published.organisation,), device=device).version == 1
        with published.admin() as admin:
            assert raw == admin.bundle(device)
    assert [what for _, what in published.audited()[before:]] == ["code.add"] * 3
    terminal = published.terminal("esim-0003")
    assert terminal.enrol(codes.secret(made["esim-0003"]["code"])).status == 200


def test_devices_with_an_open_code_are_left_alone_unless_all_is_said(published: Office) -> None:
    assert len(published.json("enrol", "--new")["devices"]) == 4
    assert published.ok("enrol", "--new").startswith("no code is due: every published device")
    again = published.ok("enrol", "--new", "--all").splitlines()
    assert again[-1].startswith("4 devices have a code, valid until ")
    assert again[0].startswith("esim-0001  ")


def test_a_code_for_many_lives_thirty_days_and_one_alone_three(published: Office) -> None:
    published.ok("enrol", "--new")
    many = published.row("esim-0001")["open_code_until"]
    published.ok("enrol", "esim-0001")
    one = published.row("esim-0001")["open_code_until"]
    assert many[:10] > one[:10]


def test_a_dry_run_makes_no_code_and_writes_nothing(published: Office, tmp_path: Path) -> None:
    pdf, usb = tmp_path / "labels.pdf", tmp_path / "usb"
    usb.mkdir()
    before = published.audited()
    told = published.json("enrol", "--new", "--dry-run", "--labels", str(pdf), "--usb", str(usb))
    assert told["dry_run"]
    assert "code" not in told["devices"][0]
    assert "would get a code" in published.ok("enrol", "esim-0001", "--dry-run")
    assert (pdf.exists(), list(usb.iterdir()), published.audited()) == (False, [], before)


def test_a_label_is_for_its_owner_alone(published: Office, tmp_path: Path) -> None:
    pdf = tmp_path / "labels.pdf"
    shown = published.ok("enrol", "esim-0001", "--labels", str(pdf), "--sheet", "single")
    assert f"labels: {pdf}, labels of 70 x 37 mm" in shown
    assert pdf.stat().st_mode & 0o777 == 0o600
    assert len(scanned(pdf)) == 1


def test_a_label_tells_the_organisation_s_time(published: Office, tmp_path: Path) -> None:
    zone = '"Asia/Kathmandu"'
    published.county.edit("organisation.toml", '"Europe/Helsinki"', zone)
    pdf = tmp_path / "labels.pdf"
    for words in (("enrol", "esim-0001"), ("replace", "esim-0001")):
        made = published.json(*words, "--labels", str(pdf), "--sheet", "single")
        ends = dt.datetime.fromisoformat(made["expires_at"]).astimezone(ZoneInfo(zone.strip('"')))
        with pypdfium2.PdfDocument(pdf) as document:
            text = document[0].get_textpage().get_text_range()
        assert f"Voimassa {ends:%d.%m.%Y %H:%M}" in text


def test_labels_that_cannot_be_written_cost_no_code(published: Office, tmp_path: Path) -> None:
    before = published.audited()
    done = published.fleet("enrol", "--new", "--labels", str(tmp_path / "nowhere/labels.pdf"))
    assert done.exit_code == 2
    assert "cannot be written" in done.output
    done = published.fleet("enrol", "--new", "--usb", str(tmp_path / "nowhere"))
    assert done.exit_code == 2
    assert "plugged in and mounted" in done.output
    assert published.audited() == before


def test_a_refused_code_leaves_no_label(office: Office, tmp_path: Path) -> None:
    office.ok("publish", "esim-0002")
    office.county.write(
        "devices/esim-0050.toml", 'id = "esim-0050"\nlocation = "0003"\nname = "Uusi"\n'
    )
    done = office.fleet("enrol", "esim-0050", "--labels", str(tmp_path / "labels.pdf"))
    assert done.exit_code == 1
    assert "hymio fleet publish" in done.output
    assert [path.name for path in tmp_path.iterdir() if "labels" in path.name] == []


def test_missing_fonts_are_said_and_cost_no_code(
    published: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise FontError("NotoSans-Regular.ttf is not there: install the package fonts-noto-core")

    monkeypatch.setattr("kiosk.fleet.labels.fonts", missing)
    before = published.audited()
    done = published.fleet("enrol", "esim-0001", "--labels", str(tmp_path / "labels.pdf"))
    assert done.exit_code == 2
    assert "fonts-noto-core" in done.output
    assert published.audited() == before


@pytest.mark.parametrize("words", [[], ["esim-0001", "--new"], ["esim-0001", "--all"]])
def test_either_devices_or_new(published: Office, words: list[str]) -> None:
    assert published.fleet("enrol", *words).exit_code == 2


def test_a_stick_of_another_organisation_is_refused(published: Office, tmp_path: Path) -> None:
    here = tmp_path / "usb/hymio/muu-0001"
    here.mkdir(parents=True)
    ticket = f'{{"endpoint": "https://x", "code": "{codes.make(stranger())}"'
    ticket += f', "fingerprint": "{bundles.fingerprint(stranger())}"}}'
    (here / "ticket.json").write_text(ticket)
    before = published.audited()
    done = published.fleet("enrol", "esim-0001", "--usb", str(tmp_path / "usb"))
    assert done.exit_code == 2
    assert "take an empty stick" in done.output
    assert published.audited() == before
    assert not (tmp_path / "usb/hymio/esim-0001").exists()


# --- replace, revoke, cancel ----------------------------------------------------------------------


def test_a_device_that_sends_is_not_enrolled_by_mistake(published: Office) -> None:
    published.enrolled("esim-0001")
    done = published.fleet("enrol", "esim-0001", "esim-0002")
    assert done.exit_code == 1
    assert "esim-0001: a terminal is enrolled there and sends" in done.output
    assert published.row("esim-0002")["open_code_until"] is None


def test_a_replaced_terminal_only_empties_its_outbox(published: Office, tmp_path: Path) -> None:
    old = published.enrolled("esim-0001")
    shown = published.ok("replace", "esim-0001", "--labels", str(tmp_path / "l.pdf"))
    assert "drain-only as soon as the new one sends" in shown
    assert old.send(items([answer("v1")]))["have"] == 1, "until then it serves on"
    new = published.terminal("esim-0001")
    (ticket,) = scanned(tmp_path / "l.pdf").values()
    assert new.enrol(codes.secret(ticket.code)).status == 200
    new.send([])
    assert old.send(items([answer("v2", n=2)], 2))["have"] == 2, "its own outbox is still taken"
    old.epoch = new.epoch
    assert old.post(old.batch([])).code == "wrong_epoch_for_retired_key"


def test_replaced_now_means_now(published: Office) -> None:
    old = published.enrolled("esim-0001")
    done = published.fleet("replace", "esim-0001", "--now")
    assert done.exit_code == 2, "nobody was there to say yes"
    assert "--yes" in done.output
    published.ok("replace", "esim-0001", "--now", "--yes")
    asked = published.centre.signed("GET", "/v1/config", b"", old.key)
    assert asked.code == "key_retired"
    old.send([])
    assert ("maija", "code.add") in published.audited()


def test_a_revoked_device_is_not_heard_again(published: Office) -> None:
    terminal = published.enrolled("esim-0001")
    assert published.fleet("revoke", "esim-0001").exit_code == 2, "a reason is asked for"
    assert published.fleet("revoke", "esim-0001", "--reason", "varastettu").exit_code == 2
    dry = published.ok("revoke", "esim-0001", "--reason", "varastettu", "--dry-run")
    assert dry == "esim-0001 would be revoked: varastettu\n"
    terminal.send([])
    published.ok("revoke", "esim-0001", "--reason", "varastettu", "--yes")
    assert terminal.post(terminal.batch([])).code == "device_revoked"
    assert "revoked" in published.ok("status", "esim-0001")
    assert "varastettu" in published.ok("status", "esim-0001")
    assert published.fleet("revoke", "esim-0777", "--reason", "x", "--yes").exit_code == 1


def test_a_revoked_device_gets_a_new_terminal_with_a_new_code(published: Office) -> None:
    published.enrolled("esim-0001")
    published.ok("revoke", "esim-0001", "--reason", "varastettu", "--yes")
    published.enrolled("esim-0001")
    assert published.row("esim-0001")["state"] == "active"


def test_a_lost_label_is_worth_nothing_once_cancelled(published: Office) -> None:
    code = published.json("enrol", "esim-0001")["code"]
    published.ok("cancel-code", "esim-0001", "--dry-run")
    assert published.row("esim-0001")["open_code_until"]
    published.ok("cancel-code", "esim-0001")
    assert published.terminal("esim-0001").enrol(codes.secret(code)).code == "code_expired"
    published.ok("cancel-code", "esim-0001")  # can be said again


def test_an_operator_without_the_organisation_s_private_key_can_enrol(published: Office) -> None:
    (published.keys / "organisation.key").unlink()
    made = published.json("enrol", "esim-0001")
    assert codes.holds(made["code"], made["organisation_key"])


# --- what is not published ------------------------------------------------------------------------


def test_no_code_is_made_for_what_is_not_published(office: Office) -> None:
    office.ok("publish", "esim-0001")
    for command in ("enrol", "replace"):
        done = office.fleet(command, "esim-0002")
        assert done.exit_code == 1
        assert "not published yet: esim-0002 → hymio fleet publish" in done.output
    done = office.fleet("enrol", "--new")
    assert done.exit_code == 0
    assert "left out, not published yet: esim-0002, esim-0003, esim-0004" in done.stderr
    assert "device       esim-0001" in done.stdout
    assert not office.row("esim-0002")["open_code_until"]


def test_replacing_nothing_is_said(published: Office) -> None:
    told = published.ok("replace", "esim-0002")
    assert told.endswith("no terminal was enrolled there yet: nothing is replaced\n")
    assert "drain-only" not in told
