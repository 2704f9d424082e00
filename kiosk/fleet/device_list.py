"""Many devices from one CSV file: all of them, or none and everything that is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kiosk.fleet import additions, panels
from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import ConfigError, ConfigErrors
from kiosk.fleet.files import PATTERNS, SLUG
from kiosk.fleet.rules import one_of
from sync.contract.bundle import LANGUAGES

COLUMNS = ("location", "place", "municipality", "name", "panel", "id")
PLACE_NAMES = tuple(f"place_{language}" for language in LANGUAGES)
"""The place's name in one language, where `place` is not enough."""


@dataclass(frozen=True)
class Row:
    """One device; `line` is where its row begins."""

    line: int
    cells: Mapping[str, str]

    def cell(self, column: str) -> str:
        """A cell without the space around it; empty when there is no such column."""
        return self.cells.get(column, "").strip()


@dataclass
class Added:
    """What reading a list has planned."""

    devices: dict[str, str] = field(default_factory=dict)
    """New id -> its place's id."""
    locations: list[str] = field(default_factory=list)
    """Ids of new places."""
    there: list[str] = field(default_factory=list)
    """Ids of devices that were there already."""
    lines: dict[str, int] = field(default_factory=dict)
    """File planned -> the line of the list it comes from."""


def rows(raw: bytes, file: str) -> list[Row]:
    """The rows of a CSV file in UTF-8, divided by `;`, `,` or tab, with the columns' names first.

    Raises ConfigErrors.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _one(file, line, "", "not UTF-8", 'save it as "CSV UTF-8"') from None
    skipped = 0
    if text.lower().startswith("sep="):  # Excel's own note on what divides the columns
        _, _, text = text.partition("\n")
        skipped = 1
    first = text.partition("\n")[0]
    delimiter = max(";\t,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[tuple[int, list[str]]] = []
    try:
        before = 0
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((before + 1 + skipped, cells))
            before = reader.line_num
    except csv.Error as error:
        what = f"not CSV: {error}"
        raise _one(file, reader.line_num + skipped, "", what, "check the quotes") from None
    if not found:
        raise _one(file, 0, "", "is empty", f"begin with a line such as {';'.join(COLUMNS[1:5])}")
    (line, header), *body = found
    columns = [cell.strip().lower() for cell in header]
    errors = list(_header(file, line, columns))
    errors += [
        ConfigError(
            file,
            number,
            "",
            f"has {len(cells)} columns, the first line {len(columns)}",
            f'put a text with a "{delimiter}" into quotes',
        )
        for number, cells in body
        if len(cells) > len(columns)
    ]
    if errors:
        raise ConfigErrors(errors)
    return [Row(number, dict(zip(columns, cells, strict=False))) for number, cells in body]


def _header(file: str, line: int, columns: list[str]) -> Iterator[ConfigError]:
    known = (*COLUMNS, *PLACE_NAMES)
    for column in columns:
        if column not in known:
            yield ConfigError(
                file, line, column, "unknown column", one_of(column, known, "remove it")
            )
        elif columns.count(column) > 1:
            yield ConfigError(file, line, column, "stands twice", "remove one of them")
    if "name" not in columns:
        yield ConfigError(file, line, "name", "is missing", "add a column name")
    if not {"location", "place"} & set(columns):
        yield ConfigError(
            file, line, "location", "is missing", "add a column location (an id) or place (a name)"
        )


class DeviceList:
    """Plans the devices of a list on an Edit."""

    def __init__(self, edit: Edit, file: str, *, create_locations: bool = False) -> None:
        self._edit = edit
        self._file = file
        self._create = create_locations
        self._errors: list[ConfigError] = []
        self._places: dict[tuple[str, str], str] = {}  # (name, municipality) created here -> id
        self._seen: dict[tuple[str, str], int] = {}  # (place, device's name) -> line
        self._ids: dict[str, int] = {}
        self.added = Added()

    def plan(self, found: list[Row]) -> Added:
        """Every row as a new device. Raises ConfigErrors with all that is wrong."""
        # Ids that are given are taken before any is made up.
        for row in found:
            self._claim(row)
        for row in found:
            self._row(row)
        if self._errors:
            raise ConfigErrors(self._errors)
        return self.added

    def _wrong(self, row: Row, column: str, what: str, remedy: str) -> None:
        self._errors.append(ConfigError(self._file, row.line, column, what, remedy))

    def _claim(self, row: Row) -> None:
        ident = row.cell("id")
        if ident and ident in self._ids:
            self._wrong(row, "id", f'"{ident}" stands on line {self._ids[ident]} too', "change one")
        elif ident and not re.fullmatch(SLUG, ident):
            self._wrong(row, "id", f'"{ident}" is no id', f"write {PATTERNS[SLUG]}")
        elif ident:
            self._ids[ident] = row.line

    def _row(self, row: Row) -> None:
        name = row.cell("name")
        if not name:
            self._wrong(row, "name", "is empty", "write where in the place it stands")
        screen: dict[str, int | float] = {}
        if row.cell("panel"):
            try:
                screen = panels.panel(row.cell("panel"))
            except ValueError as error:
                what, _, remedy = str(error).partition(": ")
                self._wrong(row, "panel", what, remedy)
        place = self._place(row)
        if not place or not name:
            return
        if (place, name) in self._seen:
            line = self._seen[place, name]
            self._wrong(
                row, "name", f'"{name}" at this place stands on line {line} too', "change one"
            )
            return
        self._seen[place, name] = row.line
        self._device(row, place, name, screen)

    def _device(self, row: Row, place: str, name: str, screen: dict[str, int | float]) -> None:
        ident = row.cell("id")
        devices = self._edit.tree.devices
        twins = [
            known
            for known, source in self._edit.tree.in_use.items()
            if (source.data.get("location"), source.data.get("name")) == (place, name)
        ]
        there = ident if ident in devices else "" if ident or not twins else twins[0]
        if there:
            wanted = {"location": place, "name": name, "screen": screen}
            other = [k for k, v in wanted.items() if v and devices[there].data.get(k) != v]
            if other:
                what = f"{there} is there already with other {', '.join(other)}"
                self._wrong(
                    row, "id" if ident else "name", what, "edit its file, or change the row"
                )
            else:
                self.added.there.append(there)
            return
        if self._errors:
            return  # nothing is going to be written
        if not ident:
            ident = additions.next_device(self._edit)
            while ident in self._ids:
                ident = additions.counted_up(ident)
        additions.add_device(self._edit, ident, place, name, screen)
        self.added.devices[ident] = place
        self.added.lines[f"devices/{ident}.toml"] = row.line

    def _place(self, row: Row) -> str:
        """The id of a row's place, planned anew where that is wanted; "" after an error."""
        ident, name = row.cell("location"), row.cell("place")
        known = self._edit.tree.locations
        if ident and not ident.isdigit():
            ident, name = "", ident  # a name under `location` is as clear
        if ident:
            if ident in known:
                return ident
            what = f'there is no location "{ident}"'
            self._wrong(row, "location", what, one_of(ident, known, "add it first"))
            return ""
        if not name:
            self._wrong(row, "place", "is empty", "name the place, or give its id under location")
            return ""
        municipality = row.cell("municipality")
        found = additions.find_location(self._edit, name, municipality)
        if len(found) == 1:
            return found[0]
        if found:
            self._wrong(row, "place", f'"{name}" is {" and ".join(found)}', "give its id")
            return ""
        return self._new_place(row, name, municipality)

    def _new_place(self, row: Row, name: str, municipality: str) -> str:
        key = (name.casefold(), municipality)
        if key in self._places:
            return self._places[key]
        if not self._create:
            called = {
                text
                for source in self._edit.tree.locations.values()
                for text in source.data.get("name", {}).values()
            }
            where = f" in {municipality}" if municipality else ""
            remedy = one_of(name, called, "add it first, or give --create-locations")
            self._wrong(row, "place", f'there is no place "{name}"{where}', remedy)
            return ""
        if not municipality:
            self._wrong(row, "municipality", "is empty", f'say where "{name}" lies')
            return ""
        organisation = self._edit.tree.organisation
        allowed = organisation.data.get("municipalities", ()) if organisation else ()
        if allowed and municipality not in allowed:
            remedy = one_of(municipality, allowed, "add it in organisation.toml")
            what = f'there is no municipality "{municipality}"'
            self._wrong(row, "municipality", what, remedy)
        if self._errors:
            return ""
        ident = additions.next_location(self._edit)
        by_language = {
            column.removeprefix("place_"): row.cell(column)
            for column in PLACE_NAMES
            if row.cell(column)
        }
        names = additions.names([name], additions.name_languages(self._edit)) | by_language
        facts = {"municipality": municipality, "name": names}
        additions.add_location(self._edit, ident, facts)
        self._places[key] = ident
        self.added.locations.append(ident)
        self.added.lines[f"locations/{ident}.toml"] = row.line
        return ident


def _one(file: str, line: int, key: str, what: str, remedy: str) -> ConfigErrors:
    return ConfigErrors([ConfigError(file, line, key, what, remedy)])
