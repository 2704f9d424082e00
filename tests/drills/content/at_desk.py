"""Parsers of IT's desk: device-config in TOML, lists of devices, wording, what a centre answers."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import wording
from kiosk.fleet import carrying, device_list
from kiosk.fleet.admin import Admin
from kiosk.fleet.differences import changes
from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import ConfigErrors, EditError, FleetError
from kiosk.fleet.lines import locate
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from kiosk.fleet.usb import _signer
from kiosk.fleet.validate import problems
from kiosk.speech.prompts import Prompts
from sync.contract import bundle
from sync.contract.carried import CarriedBatch
from tests.drills.content.inputs import Input, Reader, simple
from tests.drills.content.mutate import nested
from tests.drills.content.on_device import PUBLIC, config, problem, receipt
from tests.faults.house import EXAMPLE, example

TODAY = datetime.date(2026, 3, 2)
FIRST = example(1)
DEEP = b"x = " + nested(3000)
WORDING = '"nps.question" = "Hyvä?"\n"a" = "b.wav"\n'


@cache
def _small() -> dict[str, str]:
    """A device-config folder of one device, as the example has them: file -> text."""
    device = EXAMPLE / "devices" / "esim-0001.toml"
    place = FIRST.location.id
    chosen = [
        *(EXAMPLE / name for name in ("organisation.toml", "services.toml")),
        *sorted((EXAMPLE / "surveys").glob("*.toml")),
        *(EXAMPLE / "locations" / f"{place}.toml", device),
    ]
    return {path.relative_to(EXAMPLE).as_posix(): path.read_text() for path in chosen}


def _lay(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for name, text in _small().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def _toml(name: str) -> Callable[[Path], Reader]:
    """One file of the folder with other bytes: everything wrong is told with its place."""

    def opened(folder: Path) -> Reader:
        root = folder / "device-config"
        _lay(root)

        def read(raw: bytes) -> None:
            (root / name).write_bytes(raw)
            tree = Tree.load(root, today=TODAY)
            found = problems(tree)
            for error in found:
                error.entry()
                assert error.file and error.line >= 0
            if not any(error.severity == "error" for error in found):
                made = build(tree, "esim-0001")
                again = bundle.decode(msgspec.json.encode(made))
                assert again == made

        return read

    return opened


def _file(name: str) -> Callable[[], list[bytes]]:
    return lambda: [_small()[name].encode(), b"\xef\xbb\xbf" + _small()[name].encode(), DEEP]


def _lines(raw: bytes) -> None:
    import tomllib

    text = raw.decode("utf-8", "replace")
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    locate(text)


def _list(folder: Path) -> Reader:
    """A list of devices: rows and plan, or everything that is wrong with it."""
    root = folder / "device-config"
    _lay(root)

    def read(raw: bytes) -> None:
        try:
            rows = device_list.rows(raw, "list.csv")
            edit = Edit(root, today=TODAY)
            device_list.DeviceList(edit, "list.csv", create_locations=True).plan(rows)
        except (ConfigErrors, EditError) as error:
            assert str(error)
            return
        # What was planned can be read again.
        planned = {file: edit.text(file).text for file in edit.changed}
        assert not any(
            e.severity == "error" for e in problems(Tree.load(root, today=TODAY, instead=planned))
        )

    return read


def _list_seeds() -> list[bytes]:
    place = next(iter(FIRST.location.name.values()))
    town = FIRST.location.municipality
    text = (
        "location;place;municipality;name;panel;id\r\n"
        f"{FIRST.location.id};;;Ovi A;;\r\n"
        f';"{place}";{town};"Ovi; ""B""";;esim-0999\r\n'
        f";Uusi paikka;{town};Ovi C;;\r\n"
    )
    return [text.encode("utf-8-sig"), text.replace(";", "\t").encode(), b"sep=,\nname,place\na,b\n"]


def _wording(folder: Path) -> Reader:
    """The program's own wording and the recordings' list, damaged on the disk."""
    (folder / "wording").mkdir()
    (folder / "fi").mkdir()
    from kiosk import paths

    def read(raw: bytes) -> None:
        (folder / "wording" / "x.toml").write_bytes(raw)
        (folder / "fi" / "prompts.toml").write_bytes(raw)
        proper = paths.assets
        paths.assets = lambda: folder
        try:
            wording._read("x")
        except wording.WordingError:
            pass
        finally:
            paths.assets = proper
        Prompts(folder).load()

    return read


class _Answer:
    """As much of a reply as the desk looks at."""

    def __init__(self, status: int, raw: bytes) -> None:
        self.status_code, self._raw = status, raw
        self.headers = {"Retry-After": raw[:12].decode("latin-1"), "Content-Type": "x"}

    def __enter__(self) -> _Answer:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def iter_content(self, _size: int) -> list[bytes]:
        return [self._raw]


class _Session:
    def __init__(self) -> None:
        self.answer = _Answer(200, b"")

    def request(self, *_: object, **__: object) -> _Answer:
        return self.answer


def _replies(_: Path) -> Reader:
    admin = Admin("https://centre.example", Ed25519PrivateKey.generate())
    session = _Session()
    admin._session = session  # type: ignore[assignment]
    asked: list[Callable[[], Any]] = [
        *(admin.devices, admin.organisation, admin.catalogue),
        lambda: admin.call("DELETE", "/v1/admin/corrections/1"),
        lambda: carrying._posted(
            admin, CarriedBatch(headers={}, body=b"", epoch="e", first=0, last=0), lambda _: None
        ),
        lambda: changes(session.answer._raw, FIRST),
        lambda: carrying._asked({"Retry-After": session.answer.headers["Retry-After"]}),
    ]

    def read(raw: bytes) -> None:
        for status in (200, 400, 503):
            session.answer = _Answer(status, raw)
            for ask in asked:
                try:
                    ask()
                except FleetError as error:
                    assert str(error)
        try:
            _signer(raw)
        except bundle.BundleError:
            return

    return read


def _reply_seeds() -> list[bytes]:
    organisation = {"centre": "c", "id": "o", "key": PUBLIC, "versions": {}, "digests": {}}
    return [
        json.dumps({**organisation, "placed": {}, "published": {}}).encode(),
        json.dumps({"locations": [], "services": [], "devices": []}).encode(),
        json.dumps([{"id": "d1", "keys": [], "epochs": []}]).encode(),
        *(problem("conflict"), receipt(), config(), b"120"),
    ]


_PLACE = f"locations/{FIRST.location.id}.toml"

INPUTS = (
    Input("device's TOML", _file("devices/esim-0001.toml"), _toml("devices/esim-0001.toml"), 12),
    Input("location's TOML", _file(_PLACE), _toml(_PLACE), 10),
    Input("organisation's TOML", _file("organisation.toml"), _toml("organisation.toml"), 10),
    Input("services' TOML", _file("services.toml"), _toml("services.toml"), 10),
    simple("lines of TOML", lambda: [text.encode() for text in _small().values()], _lines, 200),
    Input("list of devices", _list_seeds, _list, 30),
    Input("wording", lambda: [WORDING.encode(), DEEP], _wording, 100),
    Input("centre's replies", _reply_seeds, _replies, 40),
)
