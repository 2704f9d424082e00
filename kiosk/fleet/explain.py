"""Every value that holds on a device, and the file and line it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.fleet.files import Settings
from kiosk.fleet.layers import SETTINGS, Origin, leaves
from kiosk.fleet.lines import Path, dotted
from kiosk.fleet.tree import Source, Tree


@dataclass(frozen=True)
class Value:
    """One value, where it stands, and what it has replaced, the nearest layer first."""

    key: str
    value: object
    origin: Origin
    replaced: tuple[Origin, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For `--format json`."""
        return {
            "key": self.key,
            "value": self.value,
            "layer": self.origin.layer,
            "file": self.origin.file,
            "line": self.origin.line,
            "replaced": [
                {"value": o.value, "layer": o.layer, "file": o.file, "line": o.line}
                for o in self.replaced
            ],
        }


def explain(tree: Tree, device: str) -> list[Value]:
    """All values of a device whose files are sound, sorted by key within each part."""
    source = tree.devices[device]
    merged = tree.merged(source)
    place = tree.locations[source.data["location"]]
    survey = tree.surveys[merged.data["survey"]]
    assert tree.organisation  # noqa: S101 - the tree is sound
    found = [
        *_subject("device", source),
        *_subject("location", place),
        *_subject("organisation", tree.organisation),
    ]
    for path, origins in sorted(merged.origins.items(), key=lambda item: dotted(item[0])):
        *older, holds = origins
        found.append(Value(dotted(path), holds.value, holds, tuple(reversed(older))))
    return [*found, *_subject("survey", survey)]


def _subject(name: str, source: Source[Any]) -> Iterator[Value]:
    """What a file says about its own subject; the layered settings are told elsewhere."""
    own = {
        key: value
        for key, value in source.data.items()
        if key not in SETTINGS or not isinstance(source.value, Settings)
    }
    for path, value in sorted(_told(own), key=lambda item: dotted(item[0])):
        origin = Origin(name, source.file, source.lines.get(path, 0), value)
        yield Value(dotted((name, *path)), value, origin)


def _told(table: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Every value with its path, dated facts one by one."""
    for path, value in leaves(table):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for index, entry in enumerate(value):
                for below, inner in leaves(entry):
                    yield (*path, index, *below), inner
        else:
            yield path, value
