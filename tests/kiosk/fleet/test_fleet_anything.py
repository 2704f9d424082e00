"""Whatever stands in the files: validation answers, and what it passes can be built and read."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk import paths
from kiosk.fleet.explain import explain
from kiosk.fleet.lines import locate
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from kiosk.fleet.validate import problems
from sync.contract.bundle import as_json, decode

EXAMPLE = paths.example_config()
FILES = [
    "organisation.toml",
    "services.toml",
    "locations/0003.toml",
    "locations/0012.toml",
    "devices/esim-0001.toml",
    "devices/esim-0007.toml",
    "surveys/full.toml",
    "surveys/services.toml",
]
PLACES = [
    (file, path)
    for file in FILES
    for path in sorted(locate((EXAMPLE / file).read_text(encoding="utf-8")), key=str)
]
IDS = ("0003", "esim-0001", "esim-0007", "s01", "full", "lobby", "dental", "older", "other")
SOUND = ("fi", "Europe/Helsinki", "#0B5563", "08:00-16:00", "2027-01-01", "https://x.example")
KEYS = ("endpoint", "screen.width_mm", "fixed")
ODD = ("", "0", "xx", "#FFFFFF", "http://x", "[", "é\0")
WORDS = st.sampled_from([*IDS, *SOUND, *KEYS, *ODD])
LEAVES = WORDS | st.integers(-2, 2000) | st.booleans() | st.floats(0, 500) | st.dates()
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(WORDS, LEAVES, max_size=2)


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value at a path; a special object removes what is there."""
    for key in path[:-1]:
        data = data[key]
    if value is REMOVED:
        del data[path[-1]]
    else:
        data[path[-1]] = value


REMOVED = object()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES | st.just(REMOVED)), max_size=3))
def test_no_errors_means_that_every_device_can_be_built(
    edits: list[tuple[tuple[str, tuple[Any, ...]], Any]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "device-config"
        shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns("schema"))
        for (file, path), value in edits:
            data = tomllib.loads((root / file).read_text(encoding="utf-8"))
            try:
                replaced(data, path, value)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier edit took the place away
            (root / file).write_text(tomlkit.dumps(data), encoding="utf-8")
        tree = Tree.load(root)
        found = problems(tree)
        for error in found:
            assert error.what
            assert error.remedy
            if error.line:
                text = (root / error.file).read_text(encoding="utf-8")
                assert error.line <= text.count("\n") + 1
        if not any(error.severity == "error" for error in found):
            for device in tree.devices:
                bundle = build(tree, device)
                assert decode(as_json(bundle)) == bundle
                assert explain(tree, device)
