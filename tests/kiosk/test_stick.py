"""What is on a USB stick: anything at all, and only tickets count."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kiosk import stick
from sync.contract import code as codes

TICKET = codes.Ticket(endpoint="https://x.example.fi", code="K7QM-4T2P-9XWB-3HNA", name="Aula")


def put(root: Path, device: str, raw: bytes, name: str = "ticket.json") -> None:
    folder = root / "hymio" / device
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(raw)


def test_no_stick_an_empty_one_and_one_without_our_folder(tmp_path: Path) -> None:
    assert stick.read(tmp_path / "none").what == "none"
    assert stick.read(tmp_path).what == "none"
    (tmp_path / "photos").mkdir()
    assert stick.read(tmp_path).what == "no-folder"
    (tmp_path / "hymio").mkdir()
    assert stick.read(tmp_path).what == "no-ticket"


def test_tickets_are_named_by_their_device_or_else_their_folder(tmp_path: Path) -> None:
    put(tmp_path, "esim-0075", msgspec.json.encode(TICKET))
    put(tmp_path, "b", msgspec.json.encode(msgspec.structs.replace(TICKET, device="esim-0074")))
    found = stick.read(tmp_path)
    assert [ticket.device for ticket in found.tickets] == ["esim-0074", "esim-0075"]
    assert found.of("esim-0075") is not None


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"endpoint":"","code":"K7QM-4T2P-9XWB"}', b"\xff" * 90, b"[" * 100_000],
)
def test_a_damaged_ticket_is_named_and_hides_no_whole_one(tmp_path: Path, raw: bytes) -> None:
    put(tmp_path, "esim-0080", raw)
    assert stick.read(tmp_path).what == "damaged"
    put(tmp_path, "esim-0074", msgspec.json.encode(TICKET))
    found = stick.read(tmp_path)
    assert (found.what, found.damaged) == ("tickets", ("esim-0080",))


def test_only_plain_files_of_a_reasonable_size_are_read(tmp_path: Path) -> None:
    put(tmp_path, "big", b" " * (stick.MOST_TICKET_BYTES + 1))
    folder = tmp_path / "hymio" / "link"
    folder.mkdir()
    (folder / "ticket.json").symlink_to("/etc/hostname")
    (tmp_path / "hymio" / "pipe").mkdir()
    import os

    os.mkfifo(tmp_path / "hymio" / "pipe" / "ticket.json")
    assert set(stick.read(tmp_path).damaged) == {"big", "link", "pipe"}


def test_bundles_are_found_newest_first(tmp_path: Path) -> None:
    for name in ("9.bundle", "12.bundle", "x.bundle", "12.txt"):
        put(tmp_path, "esim-0074", b"{}", name)
    assert [version for version, _ in stick.bundles(tmp_path, "esim-0074")] == [12, 9]
    assert stick.bundles(tmp_path, "esim-0075") == []
