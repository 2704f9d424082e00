"""What the drill found, each by the bytes it was found with."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import paths, stick, wording
from kiosk.fleet.admin import Admin
from kiosk.fleet.errors import UnreachableError
from kiosk.fleet.usb import _signer
from kiosk.pin import Guesses
from kiosk.speech.prompts import Prompts
from kiosk.ui.activation import Activation, signer
from sync import fetching
from sync.collector import reading
from sync.collector.reading import RefusedError
from sync.collector.reports.as_text import safe
from sync.contract import bundle, carried, wire
from sync.contract import code as codes
from sync.datadir import DataDir, read_json
from sync.exchange import verified
from sync.link import Reply
from sync.refusals import problem_code, understand
from sync.wish import Said, Wish, read_wish
from tests.drills.content.at_centre import envelope, record_seeds
from tests.drills.content.mutate import nested
from tests.drills.content.on_device import DEVICE, FIRST, STAMP, receipt
from tests.drills.content.on_device import INPUTS as DEVICE_INPUTS


@pytest.mark.parametrize("depth", [450, 920])
@pytest.mark.parametrize("kind", ["list", "object"])
def test_a_record_nested_deeper_than_the_stack_is_quarantined(depth: int, kind: str) -> None:
    answer = json.loads(record_seeds()[0])
    raw = json.dumps({**answer, "more": ["@", "\0"]}).encode()
    assert reading.reread(raw.replace(b'"@"', nested(depth, kind)))[1] in ("u0000", "json")


@pytest.mark.parametrize("depth", [450, 920])
def test_a_status_nested_deeper_than_the_stack_is_not_kept(depth: int) -> None:
    raw = msgspec.json.encode(envelope([])).replace(b'"version":"1"', b'"a":' + nested(depth))
    assert reading.prepare(raw, "d").status == "{}"


def test_a_number_out_of_range_beside_u0000_is_quarantined() -> None:
    answer = json.loads(record_seeds()[0])
    raw = json.dumps({**answer, "more": ["@", "\0"]}).encode().replace(b'"@"', b"1e999")
    assert reading.reread(raw) == (None, "schema") or reading.reread(raw) == (None, "json")


def test_so_it_is_in_another_message() -> None:
    raw = b'{"v":1,"code":"x","public_key":"y","more":[1e999,"\\u0000"]}'
    with pytest.raises(RefusedError) as refused:
        reading.decode(raw, wire.EnrolRequest)
    assert refused.value.code == "bad_envelope"


TORN = b'"\xff\xfe"'
"""Text that is no UTF-8: msgspec has an error of another kind for it."""


def test_a_reply_that_is_no_utf8_is_no_receipt_and_no_problem() -> None:
    reply = Reply(200, {}, receipt().replace(b'"DIGEST"', TORN), "d")
    assert verified(reply, epoch="e", centre="c") is None
    problem = Reply(503, {}, b'{"type":"t","title":%s,"status":503,"code":"x"}' % TORN, "d")
    assert problem_code(problem) == ""
    assert understand(problem, empty=True).state == "unreachable"


@pytest.mark.parametrize("name", ["receipt", "refusal", "busy", "enrolment's reply"])
def test_the_sender_goes_on_after_a_reply_that_is_no_utf8(name: str, tmp_path: Path) -> None:
    (given,) = (each for each in DEVICE_INPUTS if each.name == name)
    read = given.open(tmp_path)
    for seed in given.seeds():
        # In place of the first text.
        at = seed.find(b':"')
        read(seed[: at + 1] + TORN + seed[seed.find(b'"', at + 2) + 1 :])


def test_what_lies_on_a_stick_and_is_no_utf8_is_damaged() -> None:
    with pytest.raises(codes.TicketError):
        codes.read_ticket(b'{"endpoint":%s,"code":"x"}' % TORN)
    with pytest.raises(carried.CarriedError):
        carried.read_batch(b'{"v":1,"path":%s}' % TORN)
    with pytest.raises(carried.CarriedError):
        carried.read_receipt(b'{"v":1,"status":200,"headers":{"a":%s}}' % TORN, trusted=[])


def test_a_configuration_that_is_no_utf8_is_refused() -> None:
    payload = msgspec.json.encode(FIRST).replace(json.dumps(DEVICE).encode(), TORN, 1)
    with pytest.raises(bundle.BundleError):
        bundle.decode(payload)
    for read in (signer, _signer):
        with pytest.raises(bundle.BundleError):
            read(b'{"key":%s}' % TORN)


def test_a_centre_that_answers_no_utf8_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = Admin("https://centre.example", Ed25519PrivateKey.generate())
    for status in (200, 503):
        monkeypatch.setattr(admin, "_send", lambda *_, s=status: (s, {}, b'{"code":%s}' % TORN))
        with pytest.raises(UnreachableError):
            admin.call("GET", "/v1/admin/devices")


@pytest.mark.parametrize("name", ["²", "١", "00²"])
def test_a_configuration_with_an_odd_number_as_its_name_is_passed_over(
    name: str, tmp_path: Path
) -> None:
    mine = tmp_path / "stick" / "hymio" / DEVICE
    data = DataDir(tmp_path / "data")
    data.create()
    mine.mkdir(parents=True)
    for folder in (mine, data.config_dir):
        (folder / f"{name}.bundle").write_bytes(b"{}")
    assert all(number == 1 for number, _ in stick.bundles(tmp_path / "stick", DEVICE))
    assert Activation(data, msgspec.structs.replace(FIRST, version=0)).newest() is None
    fetching._tidy(data)


@pytest.mark.parametrize("written_as", ["utf-8", "utf-8-sig", "utf-16"])
def test_enrol_json_of_any_editor_is_read_by_sender_and_terminal(
    tmp_path: Path, written_as: str
) -> None:
    file = tmp_path / "enrol.json"
    file.write_text('{"endpoint": "https://a.test", "code": "2345"}', encoding=written_as)
    wish = read_wish(file)
    assert isinstance(wish, Wish)
    assert (read_json(file) or {}).get("code") == wish.code


def test_half_a_character_in_a_small_file_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "terminal.json"
    for raw in (b'{"state":"\xed\xa0\x80"}', b'{"state":"\\ud800"}'):
        file.write_bytes(raw)
        assert read_json(file) is None
        file.write_bytes(raw.replace(b"state", b"code"))
        found = read_wish(file)
        assert isinstance(found, Said) and found.code == "bad_file"


@pytest.mark.parametrize(
    "kept",
    [
        {"wall": "9999-12-31T23:59:59.999-23:59", "boottime_ms": 1000},
        {"wall": "0001-01-01T00:00:00+23:59", "boottime_ms": 1000},
        {"wall": STAMP.wall, "boottime_ms": int("9" * 400)},
    ],
)
def test_wrong_guesses_kept_with_an_absurd_time_still_make_one_wait(
    kept: dict[str, object],
) -> None:
    guesses = Guesses({"wrong": 9, "boot": STAMP.boot, "synced": True, **kept})
    assert guesses.left_s(STAMP) > 0
    assert guesses.until(STAMP)


def test_wording_that_is_no_utf8_or_nested_too_deeply_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "assets", lambda: tmp_path)
    for folder in ("wording", "fi"):
        (tmp_path / folder).mkdir()
    for raw in (b"\xa0", b"x = " + nested(3000)):
        (tmp_path / "wording" / "x.toml").write_bytes(raw)
        (tmp_path / "fi" / "prompts.toml").write_bytes(raw)
        with pytest.raises(wording.WordingError):
            wording._read("x")
        Prompts(tmp_path).load()


@pytest.mark.parametrize("first", ["\n", "＝", "＋", "－", "＠", "=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_an_export_begins_as_a_formula(first: str) -> None:
    assert safe(f"{first}1+1") == f"'{first}1+1"
