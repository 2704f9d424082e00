"""A TOML text edited in place: what is not edited stays as it is, to the byte.

Values are written by tomlkit. Where they go is found here: a key tomlkit adds ends up behind the
comment that belongs to the next table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
import tomlkit.items

from kiosk.fleet.lines import Path, Places, survey

BOM = "\ufeff"


class TomlText:
    """One file's text, valid TOML before and after every edit."""

    def __init__(self, text: str) -> None:
        self._bom = BOM if text.startswith(BOM) else ""
        self._text = text.removeprefix(BOM)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    @property
    def text(self) -> str:
        """The whole text, as it is to be written."""
        return self._bom + self._text

    @property
    def data(self) -> dict[str, Any]:
        """What it says."""
        return tomllib.loads(self._text)

    def set(self, path: Path, value: object) -> None:
        """Write a value: over the one that stands there, or after the last key of its table.

        Every list item on the way must be there.
        """
        places = survey(self._text)
        if path in places.values:
            start, end = places.values[path]
            self._splice(start, end, written(value))
            return
        table, key = path[:-1], str(path[-1])
        if table in places.inner:
            self._into(places, table, pair(key, value))
        elif not table or table in places.ends:
            self._line(places, table, pair(key, value))
        elif dotted := [
            row
            for row, (base, _, _) in places.rows.items()
            if row[: len(table)] == table and len(base) < len(table)
        ]:
            base = places.rows[dotted[-1]][0]
            keys = ".".join(written_key(str(part)) for part in path[len(base) :])
            self._line(places, base, f"{keys} = {written(value)}", after=dotted[-1])
        elif below := [end for base, end in places.ends.items() if base[: len(table)] == table]:
            self._block(max(below), f"[{_header(table)}]", {key: value})
        else:
            self.set(table, {key: value})

    def append(self, path: Path, entry: Mapping[str, object]) -> None:
        """Add a table at the end of an array of tables."""
        places = survey(self._text)
        if path in places.inner:
            self._into(places, path, written(entry))
            return
        if path[:-1] in places.inner:
            self.set(path, [entry])
            return
        there = [end for base, end in places.ends.items() if base[: len(path)] == path]
        around = [end for base, end in places.ends.items() if base[: len(path) - 1] == path[:-1]]
        at = max(there) if there else len(self._text) if len(path) == 1 else max(around)
        self._block(at, f"[[{_header(path)}]]", entry)

    def _block(self, at: int, header: str, entry: Mapping[str, object]) -> None:
        """A table with a header of its own, an empty line before and behind it."""
        lines = [header, *(pair(key, value) for key, value in entry.items())]
        block = self._newline.join(lines) + self._newline
        before, behind = self._text[:at], self._text[at:]
        if before and not before.endswith("\n"):
            block = self._newline + block
        if before.strip() and not before.endswith(("\n\n", "\n\r\n")):
            block = self._newline + block
        if behind and not behind.startswith(("\n", "\r\n")):
            block += self._newline
        self._splice(at, at, block)

    def _line(self, places: Places, base: Path, line: str, after: Path | None = None) -> None:
        """A line of its own after a pair, or after the last of a header's."""
        at = places.rows[after][2] if after else places.ends.get(base, 0)
        mine = [row for row, (header, _, _) in places.rows.items() if header == base]
        indent = ""
        if mine:
            start = places.rows[after or mine[-1]][1]
            indent = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        begin = self._newline if at and not self._text[:at].endswith("\n") else ""
        self._splice(at, at, f"{begin}{indent}{line}{self._newline}")

    def _into(self, places: Places, table: Path, item: str) -> None:
        """Into an inline table or list, after its last item."""
        at = places.inner[table]
        start, end = places.values[table]
        if at != start + 1:
            self._splice(at, at, f", {item}")
        elif self._text[start] == "{":
            self._splice(at, at, f" {item}" + (" " if at == end - 1 else ""))
        else:
            self._splice(at, at, item)

    def _splice(self, start: int, end: int, new: str) -> None:
        self._text = self._text[:start] + new + self._text[end:]


def _header(path: Path) -> str:
    return ".".join(written_key(part) for part in path if isinstance(part, str))


def written(value: object) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(pair(str(key), item) for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return tomlkit.item(value).as_string()


def written_key(key: str) -> str:
    """A key, quoted where it must be."""
    return tomlkit.items.SingleKey(key).as_string()


def pair(key: str, value: object) -> str:
    """`key = value`."""
    return f"{written_key(key)} = {written(value)}"
