"""Parsers of the device's own files: SQLite and its WAL, and the small JSON files beside them."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from kiosk.recorder import Recorder, RecorderError
from sync import opening, salvage
from sync.contract.bundle import Storage
from sync.cursor import Memory
from sync.datadir import DataDir, read_json, write_json
from sync.epoch import EpochReader, id_ms
from sync.ledger import ledger
from sync.outbox import Outbox, OutboxError
from sync.status import device_status
from sync.telling import remember
from tests.bench.samples import records as samples
from tests.drills.content.inputs import Input, Reader, simple
from tests.drills.site import Device, House

CUT = b"\n--- the WAL ---\n"
"""Between a file and its WAL in one input."""


@cache
def image() -> dict[str, bytes]:
    """The files of a device that sent something, by name: epoch, WAL, sender's memory, JSON."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder) / "centre.db")
        device = Device(Path(folder) / "data", house.post).open()
        device.commit(1, 3, 1)
        device.drain()
        device.commit(2, 1)
        device.tend()
        device.commit(1)
        assert device.recorder is not None
        epoch = Path(device.data.epoch_file(_epoch(device.data)))
        found = {
            "epoch": epoch.read_bytes(),
            "wal": epoch.with_name(f"{epoch.name}-wal").read_bytes(),
            "name": epoch.name.encode(),
        }
        device.close()
        data = device.data
        for path in (data.sync_db, data.current_json, data.sender_json, data.key):
            found[path.name] = path.read_bytes()
    # In the field a WAL is longer; what is tried is how it is read.
    found["wal"] = found["wal"][: 32 + 8 * 4120]
    return found


def _epoch(data: DataDir) -> str:
    return str((read_json(data.current_json) or {})["epoch"])


def _files() -> list[bytes]:
    found = image()
    return [found["epoch"] + CUT + found["wal"], found["epoch"] + CUT]


def _fresh(folder: Path) -> tuple[DataDir, Path]:
    for old in folder.iterdir():
        shutil.rmtree(old)
    data = DataDir(Path(tempfile.mkdtemp(dir=folder)) / "data")
    data.create()
    return data, data.outbox_dir / image()["name"].decode()


def _laid(folder: Path, raw: bytes) -> tuple[DataDir, Path]:
    """A data directory whose current epoch is these bytes."""
    data, path = _fresh(folder)
    file, _, wal = raw.partition(CUT)
    path.write_bytes(file)
    if wal:
        path.with_name(f"{path.name}-wal").write_bytes(wal)
    write_json(data.current_json, {"v": 1, "epoch": path.stem, "machine": "m"})
    return data, path


def _carve(raw: bytes) -> None:
    for row in salvage.carve(raw):
        assert row.whole and row.seq > 0 and len(row.id) == 36


def _salvage(folder: Path) -> Reader:
    """What is set aside is taken out again, or the error is SQLite's or the disk's."""

    def read(raw: bytes) -> None:
        _, path = _laid(folder, raw)
        aside = salvage.set_aside(path, "stamp")
        try:
            _, saved, tail = salvage.take_out(aside)
        except (sqlite3.Error, OSError):
            return
        with EpochReader(path) as reader:
            rows = reader.rows(0, 1000)
            assert len(rows) == saved and reader.tail() == tail
            assert all(row.whole for row in rows)

    return read


def _weigh(folder: Path) -> Reader:
    def read(raw: bytes) -> None:
        _, path = _laid(folder, raw)
        try:
            assert opening.weigh(path, salvage.wal_bytes(path)) in ("fits", "strange", "damaged")
            opening.holds_rows(path)
        except OSError:
            return

    return read


def _start(folder: Path) -> Reader:
    """A terminal starts on whatever lies there, takes an answer, and the ledger adds up."""

    def read(raw: bytes) -> None:
        data, _ = _laid(folder, raw)
        _goes_on(data)

    return read


def _goes_on(data: DataDir) -> None:
    with contextlib.closing(_recorder(data)) as recorder:
        recorder.commit(*samples(1))
    for line in ledger(data):
        parts = line.quarantined + line.held + line.lost + line.to_send
        assert line.created == line.acknowledged + parts, line


def _recorder(data: DataDir) -> Recorder:
    def opened(where: DataDir) -> Outbox:
        return Outbox(where, machine=lambda: "m", wait_s=0.0)

    try:
        return Recorder(data, Storage(ballast_mb=0), open_outbox=opened)
    except (RecorderError, OutboxError) as error:
        raise AssertionError(f"the terminal does not start: {error}") from error


def _memory(folder: Path) -> Reader:
    """The sender's memory: opened, begun anew, or SQLite's error; the ledger says what it is."""

    def read(raw: bytes) -> None:
        data, path = _fresh(folder)
        path.write_bytes(image()["epoch"])
        data.sync_db.write_bytes(raw)
        with contextlib.suppress(sqlite3.Error):
            for line in ledger(data):
                assert line.created >= 0
        opening.sent_up_to(data, path.stem)
        with contextlib.suppress(sqlite3.Error, OSError):
            memory = Memory(data.sync_db)
            for epoch, cursor in memory.cursors().items():
                assert isinstance(cursor, int) or epoch
            memory.close()

    return read


def _json_file(name: str) -> Callable[[Path], Reader]:
    """A small JSON file of ours with other bytes in it: terminal and sender go on."""

    def opened(folder: Path) -> Reader:
        def read(raw: bytes) -> None:
            data, path = _laid(folder, image()["epoch"])
            data.key.write_bytes(image()["key"])
            (data.root / name).write_bytes(raw)
            memory = Memory(data.sync_db)
            remember(data, memory)
            status = device_status(
                data, _Clock(), have=0, oldest=None, backlog=0, refused=None, key_generation=0
            )  # type: ignore[arg-type]
            msgspec.json.encode(status)
            memory.close()
            opening.sent_up_to(data, path.stem)
            _goes_on(data)

        return read

    return opened


class _Clock:
    def synced(self) -> bool:
        return True


def _terminal() -> list[bytes]:
    return [
        b'{"v":1,"version":"1","config":1,"config_since":"2026-03-02T10:11:12Z","state":"ok",'
        b'"refused":[{"version":2,"reason":"x"}],"alarms":[{"what":"wal"}],"checks_failed":["net"],'
        b'"service":{"on":true},"outbox":{"fill":0.1},"setup":"","last_touch":null}'
    ]


def _ids() -> Iterator[bytes]:
    yield from (image()["name"][:36], b"00000000-0000-7000-8000-000000000000", b"")


INPUTS = (
    simple("rows in bytes", _files, _carve, 40),
    Input("salvage", _files, _salvage, 12),
    Input("WAL weighed", _files, _weigh, 20),
    Input("outbox", _files, _start, 8),
    Input("sync.db", lambda: [image()["sync.db"]], _memory, 20),
    Input("sender.json", lambda: [image()["sender.json"]], _json_file("sender.json"), 12),
    Input("terminal.json", _terminal, _json_file("terminal.json"), 12),
    Input("current.json", lambda: [image()["current.json"]], _json_file("outbox/current.json"), 10),
    simple("ids", lambda: list(_ids()), lambda raw: id_ms(raw.decode("utf-8", "replace"))),
)
