"""New places and devices: the next id, and a file as short as it can be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import EditError
from kiosk.fleet.files import PerLanguage
from kiosk.fleet.rules import DAYS
from kiosk.fleet.toml_text import pair
from sync.contract.bundle import LANGUAGES

_SPAN = re.compile(r"(\w{3})(?:-(\w{3}))?=(.*)", re.DOTALL)


def next_location(edit: Edit) -> str:
    """An id above every one that any file names, or ever named."""
    tree = edit.tree
    named: list[object] = [*tree.locations, *_planned(edit, "locations")]
    for device in tree.devices.values():
        named += [device.data.get("location"), *_former(device.data)]
    numbers = [int(str(ident)) for ident in named if re.fullmatch(r"\d{4,6}", str(ident))]
    return f"{max(numbers, default=0) + 1:04}"


def next_device(edit: Edit) -> str:
    """`<prefix>-0074`: above every device with that prefix."""
    data = edit.tree.organisation.data if edit.tree.organisation else {}
    prefix = data.get("device_prefix") or data.get("id", "")
    pattern = re.compile(rf"{re.escape(prefix)}-(\d+)")
    idents = [*edit.tree.devices, *_planned(edit, "devices")]
    found = [match for ident in idents if (match := pattern.fullmatch(ident))]
    return f"{prefix}-{max((int(match[1]) for match in found), default=0) + 1:04}"


def counted_up(ident: str) -> str:
    """The id after this one."""
    prefix, _, number = ident.rpartition("-")
    return f"{prefix}-{int(number) + 1:04}"


def name_languages(edit: Edit) -> tuple[str, ...]:
    """The languages a name must be written in."""
    data = edit.tree.organisation.data if edit.tree.organisation else {}
    return tuple(data.get("name_languages", ("fi", "sv", "en")))


def names(texts: Sequence[str], languages: Sequence[str]) -> PerLanguage:
    """`fi=…` by language; a name without one stands for every language not named."""
    found: PerLanguage = {}
    plain = ""
    for text in texts:
        language, sign, name = text.partition("=")
        if sign and language in LANGUAGES:
            found[language] = name.strip()
        else:
            plain = text.strip()
    everywhere = dict.fromkeys(languages, plain) if plain else {}
    return {**everywhere, **found}


def hours(texts: Iterable[str]) -> dict[str, str]:
    """`mon-fri=08:00-16:00` for every day of the week; days not named are closed.

    Raises ValueError with what to write. The times themselves are judged with the file.
    """
    found: dict[str, str] = {}
    for text in texts:
        match = _SPAN.fullmatch(text.strip())
        first, last = (match[1], match[2] or match[1]) if match else ("", "")
        if (
            not match
            or first not in DAYS
            or last not in DAYS
            or DAYS.index(first) > DAYS.index(last)
        ):
            raise ValueError(
                f'"{text}" is not like mon-fri=08:00-16:00 or sat=10:00-14:00'
                f" (days: {', '.join(DAYS)})"
            )
        for day in DAYS[DAYS.index(first) : DAYS.index(last) + 1]:
            found[day] = match[3].strip()
    return {day: found.get(day, "") for day in DAYS} if found else {}


def find_location(edit: Edit, name: str, municipality: str) -> list[str]:
    """Ids of the places called so, in any language, in a municipality; "" for any."""
    return [
        ident
        for ident, source in edit.tree.locations.items()
        if name.casefold() in (text.casefold() for text in source.data.get("name", {}).values())
        and municipality in ("", source.data.get("municipality"))
    ]


def add_location(edit: Edit, ident: str, facts: Mapping[str, Any]) -> str:
    """Plan locations/<id>.toml; the text. `facts` are its keys, `name` and `hours` tables."""
    lines = ["#:schema ../schema/location.schema.json", "", pair("id", ident)]
    tables = []
    for key, value in facts.items():
        if key == "hours":
            tables += ["", "[hours]", *(pair(day, text) for day, text in value.items())]
        elif value:
            lines.append(pair(key, value))
    text = "\n".join([*lines, *tables]) + "\n"
    edit.create(f"locations/{ident}.toml", text)
    return text


def add_device(
    edit: Edit, ident: str, location: str, name: str, screen: Mapping[str, int | float]
) -> str:
    """Plan devices/<id>.toml; the text. Without `screen` the organisation's panel holds."""
    lines = ["#:schema ../schema/device.schema.json", "", pair("id", ident)]
    lines += [pair("location", location), pair("name", name)]
    if screen:
        lines.append(pair("screen", screen))
    text = "\n".join(lines) + "\n"
    edit.create(f"devices/{ident}.toml", text)
    return text


def same(there: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> bool:
    """Whether an entry that is there says all that is wanted.

    Raises EditError when it says something else.
    """
    other = [key for key, value in wanted.items() if value and there.get(key) != value]
    if other:
        raise EditError(f"{what} is there already with other {', '.join(other)}: edit its file")
    return True


def _planned(edit: Edit, folder: str) -> list[str]:
    found = (file.removeprefix(f"{folder}/") for file in edit.created if file.startswith(folder))
    return [*(name.removesuffix(".toml") for name in found), *_broken(edit, folder)]


def _broken(edit: Edit, folder: str) -> list[str]:
    """Ids of files that cannot be read: their numbers are taken all the same."""
    return [
        file.removeprefix(f"{folder}/").removesuffix(".toml")
        for file in edit.tree.broken
        if file.startswith(f"{folder}/")
    ]


def _former(device: Mapping[str, Any]) -> list[object]:
    return [entry.get("location") for entry in device.get("was", ())]
