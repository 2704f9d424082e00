"""JSON Schemas of the files, made from the structures the program reads them with, so that an
editor knows exactly what the program knows."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kiosk.fleet.files import DeviceFile, LocationFile, OrganisationFile, ServicesFile, SurveyFile

FILES: dict[str, type[msgspec.Struct]] = {
    "organisation": OrganisationFile,
    "services": ServicesFile,
    "location": LocationFile,
    "device": DeviceFile,
    "survey": SurveyFile,
}

OBVIOUS = {
    "Screen": {
        "width_px": "Pixels from left to right, as mounted: in portrait the smaller number.",
        "height_px": "Pixels from top to bottom, as mounted.",
        "width_mm": "Width of the lit area in millimetres, as mounted: measure it.",
    },
    "Touch": {
        "slop_mm": "How far outside a target a release still counts, where no other target is.",
        "quiet_ms": "Time without effect after the screen has changed.",
        "key_repeat_ms": "A second tap on the same key within this time is a bounce.",
    },
    "Timing": {
        "idle_s": "Seconds without a touch before the terminal asks whether someone is there.",
        "idle_text_s": "The same while text is written.",
        "thanks_s": "Seconds the thank-you screen stands.",
        "hold_ms": "Milliseconds a chosen answer stands before the next screen.",
    },
    "Endpoint": {
        "url": "The centre's address; https outside this machine.",
        "proxy": "Web proxy on the way there; empty: none.",
        "ca_file": "File on the device with the certificates to trust; empty: the system's.",
    },
    "Storage": {
        "max_mb": (
            "MB all answers on the device may take, sent ones until keep_days are over; nearly "
            "full, it takes no more visits. A visit takes about 3 kB."
        ),
        "keep_days": "Days an answer stays on the device after the centre has it.",
        "ballast_mb": "Space set aside so that a full disk can still be put in order.",
    },
}
"""Descriptions of the keys that explain themselves in the source."""


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema of one kind of file, with the fields' docstrings as descriptions."""
    (top,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    for struct in _structs(kind):
        properties = parts[struct.__name__]["properties"]
        for name, text in {**OBVIOUS.get(struct.__name__, {}), **_docstrings(struct)}.items():
            if name in properties:
                properties[name] = {"description": text, **properties[name]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **top, "$defs": parts}


def write(folder: Path, *, check: bool = False) -> list[Path]:
    """Write `<kind>.schema.json` for every kind; with `check` only compare. Which differ(ed)."""
    stale = []
    for name, kind in FILES.items():
        path = folder / f"{name}.schema.json"
        text = json.dumps(schema(kind), ensure_ascii=False, indent=2) + "\n"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                folder.mkdir(exist_ok=True)
                path.write_text(text, encoding="utf-8")
    return stale


def _structs(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    """A structure and every structure among its fields, at any depth."""
    todo: list[Any] = [msgspec.inspect.type_info(kind)]
    seen = set()
    while todo:
        info = todo.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls not in seen:
            seen.add(info.cls)
            yield info.cls
            todo += [field.type for field in info.fields]
        for inner in ("item_type", "value_type", "type"):
            if hasattr(info, inner):
                todo.append(getattr(info, inner))


def _docstrings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Field -> the text that stands below it in the source, in the classes it inherits from too."""
    found: dict[str, str] = {}
    written = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    for cls in reversed(struct.__mro__):
        if not issubclass(cls, msgspec.Struct) or cls is msgspec.Struct:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
        for field, text in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                found[written[field.target.id]] = " ".join(str(text.value.value).split())
    return found
