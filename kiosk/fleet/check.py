"""A table from a file against the structure it should have: every misfit, not only the first."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from kiosk.fleet.files import PATTERNS
from kiosk.fleet.lines import Path


class Misfit(NamedTuple):
    """Where, what is wrong, what to do."""

    path: Path
    what: str
    remedy: str


_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": 'a text in "quotes"',
    "bool": "true or false",
    "array": "a list in [brackets]",
    "object": "a table",
    "null": "nothing",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`(?: (.*?))?(?:, got `([^`]+)`)?(?: - at `\$(.*)`)?$")


def misfits(value: object, kind: Any, path: Path = ()) -> Iterator[Misfit]:
    """Compare plain TOML data with a msgspec type, going into tables and lists."""
    struct = _struct(kind)
    origin = typing.get_origin(kind)
    if struct is not None:
        if isinstance(value, dict):
            yield from _table(value, struct, path)
        else:
            yield Misfit(path, f"is {_show(value)}", "write a table")
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            yield from misfits(item, typing.get_args(kind)[0], (*path, index))
    elif origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from misfits(item, typing.get_args(kind)[1], (*path, key))
    else:
        yield from _leaf(value, kind, path)


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _table(value: dict[str, object], kind: type[msgspec.Struct], path: Path) -> Iterator[Misfit]:
    fields, hints = _described(kind)
    for field in fields:
        name = field.encode_name
        if name in value:
            yield from misfits(value[name], hints[field.name], (*path, name))
        elif field.required:
            yield Misfit((*path, name), "is missing", f"add {name}")
    known = [field.encode_name for field in fields]
    for name in value:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            yield Misfit((*path, name), "unknown key", hint)


@cache
def _described(
    kind: type[msgspec.Struct],
) -> tuple[tuple[msgspec.structs.FieldInfo, ...], dict[str, Any]]:
    """A structure's fields and their types, which take a while to work out."""
    return msgspec.structs.fields(kind), typing.get_type_hints(kind, include_extras=True)


def _leaf(value: object, kind: Any, path: Path) -> Iterator[Misfit]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield Misfit(path, f"is {_show(value)}", _remedy(str(error), kind))


def _show(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value).replace("'", '"') if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _remedy(message: str, kind: Any) -> str:
    choices = _choices(kind)
    if choices:
        return f"write one of {', '.join(choices)}"
    found = _EXPECTED.match(message)
    if not found:
        return message
    for pattern, meant in PATTERNS.items():
        if pattern in message:
            return f"write {meant}"
    name, bound = _NAMES.get(found[1], found[1]), found[2] or ""
    for sign, words in (
        (">= ", "of at least "),
        ("<= ", "of at most "),
        ("> ", "above "),
        ("< ", "below "),
        ("of length ", "of length "),
    ):
        if bound.startswith(sign):
            bound = words + bound.removeprefix(sign)
            break
    return f"write {name} {bound}".rstrip().replace("length >= 1", "at least one")


def _choices(kind: Any) -> list[str]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType, typing.Annotated):
        return []
    if typing.get_origin(kind) is typing.Literal:
        return [str(item) for item in typing.get_args(kind)]
    return []
