"""The files under device-config/, read and checked for shape; what they mean is validate.py's."""

from __future__ import annotations

import copy
import datetime as dt
import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Generic, TypeVar

import msgspec

from kiosk.fleet.check import misfits
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.files import (
    DeviceFile,
    LocationFile,
    OrganisationFile,
    ServicesFile,
    SurveyFile,
)
from kiosk.fleet.layers import DEFAULTS, Layer, Merged, merge
from kiosk.fleet.lines import Path, dotted, locate

T = TypeVar("T", bound=msgspec.Struct)

FOLDERS: Mapping[str, type[msgspec.Struct]] = {
    "locations": LocationFile,
    "devices": DeviceFile,
    "surveys": SurveyFile,
}
_AT_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True)
class Source(Generic[T]):
    """One file."""

    file: str
    """Relative to the root."""
    data: Mapping[str, Any]
    """What has the right shape: the rest is in the errors, so that checking can go on."""
    lines: Mapping[Path, int]
    value: T | None
    """None when a required key is missing or wrong."""
    raw: Mapping[str, Any]
    """As it stands in the file."""

    def error(self, path: Path, what: str, remedy: str, *, warning: bool = False) -> ConfigError:
        """An error at a key, or at the nearest table around it that stands in the file."""
        near = path
        while near and near not in self.lines:
            near = near[:-1]
        return ConfigError(
            self.file,
            self.lines.get(near, 1),
            dotted(path),
            what,
            remedy,
            "warning" if warning else "error",
        )

    def layer(self, name: str, *, bound: bool = True) -> Layer:
        """This file as a layer of settings."""
        return Layer(name, self.file, self.data, self.lines, bound)


@dataclass
class Tree:
    """A whole device-config folder. Entries with a wrong shape are kept with value None."""

    root: FilePath
    today: dt.date
    """The day dated facts are judged on."""
    organisation: Source[OrganisationFile] | None = None
    services: Source[ServicesFile] | None = None
    locations: dict[str, Source[LocationFile]] = field(default_factory=dict)
    devices: dict[str, Source[DeviceFile]] = field(default_factory=dict)
    surveys: dict[str, Source[SurveyFile]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Files that are there but could not be read."""
    errors: list[ConfigError] = field(default_factory=list)
    instead: Mapping[str, str] = field(default_factory=dict)
    """File -> text read in its place: an edit is judged before it is written."""

    @classmethod
    def load(
        cls,
        root: FilePath,
        *,
        today: dt.date | None = None,
        instead: Mapping[str, str] | None = None,
    ) -> Tree:
        """Read every file. Never raises for what stands in them: see `errors`.

        `today` is by default the day it is now at the organisation.
        """
        tree = cls(root, today or _today({}), instead=instead or {})
        if not root.is_dir() and not instead:
            tree.errors.append(
                ConfigError(str(root), 0, "", "is not a folder", "give --root device-config")
            )
            return tree
        tree.organisation = tree._read("organisation.toml", OrganisationFile)
        tree.today = today or _today(tree.organisation.data if tree.organisation else {})
        tree.services = tree._read("services.toml", ServicesFile)
        tree._folder("locations", LocationFile, tree.locations)
        tree._folder("devices", DeviceFile, tree.devices)
        tree._folder("surveys", SurveyFile, tree.surveys)
        return tree

    @property
    def zone(self) -> dt.tzinfo:
        """The organisation's time zone; UTC for a name that is none."""
        return _zone(self.organisation.data if self.organisation else {})

    def merged(self, device: Source[DeviceFile]) -> Merged:
        """The settings that hold on one device, as far as the files can be read."""
        place = self.locations.get(str(device.data.get("location")))
        layers = [DEFAULTS]
        if self.organisation is not None:
            layers.append(self.organisation.layer("organisation", bound=False))
        if place is not None:
            layers.append(place.layer("location"))
        layers.append(device.layer("device"))
        organisation = self.organisation.value if self.organisation else None
        return merge(layers, organisation.locked if organisation else ())

    @property
    def in_use(self) -> dict[str, Source[DeviceFile]]:
        """The devices that are not retired."""
        return {id_: one for id_, one in self.devices.items() if not one.data.get("retired")}

    def chain(self, device: Source[DeviceFile]) -> set[str]:
        """The files that make one device's configuration."""
        survey = str(self.merged(device).data.get("survey"))
        place = str(device.data.get("location"))
        found = {"organisation.toml", "services.toml", device.file}
        # By name too: a file with a syntax error is not among the sources, and is the reason why.
        found |= {f"surveys/{survey}.toml", f"locations/{place}.toml"}
        sources = (self.surveys.get(survey), self.locations.get(place))
        return found | {source.file for source in sources if source is not None}

    def _folder(self, name: str, kind: type[T], into: dict[str, Source[T]]) -> None:
        files = {f"{name}/{path.name}" for path in (self.root / name).glob("*.toml")}
        files |= {file for file in self.instead if file.startswith(f"{name}/")}
        for file in sorted(files):
            path = FilePath(file)
            source = self._read(file, kind)
            if source is None:
                continue
            ident = source.data.get("id")
            if not isinstance(ident, str):
                ident = path.stem
            elif ident in into:
                first = into[ident]
                self.errors.append(
                    source.error(
                        ("id",),
                        f'"{ident}" is already used in {first.file}:{first.lines[("id",)]}',
                        "give one of them another id; ids are never reused",
                    )
                )
                continue
            elif ident != path.stem:
                self.errors.append(
                    source.error(
                        ("id",),
                        f'"{ident}" is not the file\'s name',
                        f"rename the file to {ident}.toml, or write {path.stem}",
                    )
                )
            into[ident] = source

    def _read(self, file: str, kind: type[T]) -> Source[T] | None:
        path = self.root / file
        try:
            # Some editors begin a file with a byte order mark; it says nothing.
            raw = self.instead.get(file)
            text = (raw.encode() if raw is not None else path.read_bytes()).decode("utf-8-sig")
            data = tomllib.loads(text)
            lines = locate(text)
        except FileNotFoundError:
            self._broken(
                file, 0, "the file is missing", "create it; device-config/README.md says how"
            )
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self._broken(file, line, "not UTF-8", "save the file as UTF-8")
        except tomllib.TOMLDecodeError as error:
            at = _AT_LINE.search(str(error))
            line = int(at[1]) if at and at[1] else text.count("\n") + 1
            what = _AT_LINE.sub("", str(error))
            self._broken(file, line, f"not TOML: {what}", 'mend the line; texts stand in "quotes"')
        except RecursionError:
            self._broken(file, 1, "nested too deeply", "write plain tables and lists")
        except OSError as error:
            self._broken(file, 0, f"cannot be read: {error.strerror}", "check the file's rights")
        else:
            return self._shape(file, data, lines, kind)
        return None

    def _shape(
        self, file: str, data: dict[str, Any], lines: Mapping[Path, int], kind: type[T]
    ) -> Source[T]:
        source: Source[T] = Source(file, data, lines, None, data)
        found = list(misfits(data, kind))
        self.errors += [source.error(*misfit) for misfit in found]
        sound = _without(data, [misfit.path for misfit in found])
        try:
            value = msgspec.convert(sound, kind)
        except msgspec.ValidationError:
            value = None
        return Source(file, sound, lines, value, data)

    def _broken(self, file: str, line: int, what: str, remedy: str) -> None:
        if line:
            self.broken.add(file)
        self.errors.append(ConfigError(file, line, "", what, remedy))


def _zone(organisation: Mapping[str, Any]) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(str(organisation.get("timezone", "Europe/Helsinki")))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return dt.UTC  # the wrong name is an error of its own


def _today(organisation: Mapping[str, Any]) -> dt.date:
    return dt.datetime.now(_zone(organisation)).date()


def _without(data: dict[str, Any], paths: list[Path]) -> dict[str, Any]:
    """A copy that lacks what stands at `paths`; of a list the whole, so that positions hold."""
    copied: dict[str, Any] = copy.deepcopy(data)
    for path in paths:
        table: Any = copied
        for here, below in zip(path, (*path[1:], None), strict=True):
            if not isinstance(table, dict) or here not in table:
                break
            if below is None or isinstance(below, int):
                del table[here]
                break
            table = table[here]
    return copied
