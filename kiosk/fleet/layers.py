"""Defaults < organisation < location < device: tables merge, arrays replace, locks hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kiosk.fleet.errors import ConfigError
from kiosk.fleet.files import Settings
from kiosk.fleet.lines import Path, dotted

SETTINGS = frozenset(item.encode_name for item in msgspec.structs.fields(Settings))
"""The keys that are layered; everything else in a file is about that file's own subject."""


@dataclass(frozen=True)
class Layer:
    """One source of settings."""

    name: str
    file: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int] = field(default_factory=dict)
    bound: bool = True
    """Whether the organisation's locks apply here."""


@dataclass(frozen=True)
class Origin:
    """Where a value stands."""

    layer: str
    file: str
    line: int
    value: object

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file or self.layer


@dataclass(frozen=True)
class Merged:
    """The settings that hold, and where each comes from."""

    data: dict[str, Any]
    origins: dict[Path, list[Origin]]
    """Leaf -> every place it is set, the one that holds last."""
    tables: dict[Path, Origin]
    """Table -> the last place that sets anything in it."""
    errors: list[ConfigError]

    def origin(self, *path: str) -> Origin:
        """Where the value of a leaf or a table stands; the built-in defaults have no file."""
        found = self.origins.get(path)
        return found[-1] if found else self.tables.get(path, Origin(DEFAULTS.name, "", 0, None))


DEFAULTS = Layer("default", "", msgspec.to_builtins(Settings()), bound=False)


def merge(layers: Sequence[Layer], locked: Sequence[str] = ()) -> Merged:
    """Lay each layer over the ones before; a bound layer's value for a locked key is an error
    and does not hold."""
    locks = [tuple(key.split(".")) for key in locked]
    merged = Merged({}, {}, {}, [])
    for layer in layers:
        for path, value in leaves({k: v for k, v in layer.data.items() if k in SETTINGS}):
            lock = next((lock for lock in locks if _touches(path, lock)), None)
            line = layer.lines.get(path, 0)
            if layer.bound and lock is not None:
                merged.errors.append(
                    ConfigError(
                        layer.file,
                        line,
                        dotted(path),
                        f"the organisation has locked {'.'.join(lock)}",
                        "remove it here, or take it out of `locked` in organisation.toml",
                    )
                )
                continue
            _set(merged, path, value)
            merged.origins.setdefault(path, []).append(Origin(layer.name, layer.file, line, value))
            for end in range(1, len(path)):
                at = layer.lines.get(path[:end], line)
                merged.tables[path[:end]] = Origin(layer.name, layer.file, at, None)
    return merged


def leaves(table: Mapping[str, Any], base: tuple[str, ...] = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is not a table, with its path."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*base, key))
        else:
            yield (*base, key), value


def _touches(path: Path, lock: Path) -> bool:
    """Whether setting `path` would change what `lock` names, or a part of it."""
    short = min(len(path), len(lock))
    return path[:short] == lock[:short]


def _set(merged: Merged, path: Path, value: object) -> None:
    table: dict[str, Any] = merged.data
    for key in path[:-1]:
        inner = table.get(str(key))
        if not isinstance(inner, dict):
            inner = table[str(key)] = {}
        table = inner
    table[str(path[-1])] = value
