"""Defaults < organisation < location < device; what the organisation locks, holds."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiosk.fleet.layers import DEFAULTS, SETTINGS, Layer, leaves, merge
from tests.kiosk.fleet.county import County

TABLES = {
    key: list(value) for key, value in DEFAULTS.data.items() if isinstance(value, dict) and value
}
PLAIN = sorted(SETTINGS - TABLES.keys() - {"contact", "changed"})
PATHS = sorted([(k,) for k in PLAIN] + [(t, k) for t, keys in TABLES.items() for k in keys])
SETTING = st.sampled_from(PATHS)


def layer(name: str, values: dict[tuple[str, ...], int], *, bound: bool) -> Layer:
    data: dict[str, Any] = {}
    for path, value in values.items():
        table = data
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return Layer(name, f"{name}.toml", data, {}, bound)


VALUES = st.dictionaries(SETTING, st.integers(1, 9), max_size=8)


@given(
    VALUES,
    VALUES,
    VALUES,
    st.lists(SETTING.flatmap(lambda p: st.sampled_from([p[:1], p])), max_size=5),
)
def test_a_locked_key_is_never_overridden_and_everything_else_is(
    organisation: dict[Any, int],
    location: dict[Any, int],
    device: dict[Any, int],
    locks: list[tuple[str, ...]],
) -> None:
    base = [DEFAULTS, layer("organisation", organisation, bound=False)]
    bound = [layer("location", location, bound=True), layer("device", device, bound=True)]
    merged = merge([*base, *bound], [".".join(lock) for lock in locks])
    alone = dict(leaves(merge(base).data))

    def is_locked(path: tuple[Any, ...]) -> bool:
        return any(path[: len(lock)] == lock for lock in locks)

    for path, value in leaves(merged.data):
        if is_locked(path):
            assert value == alone[path]
        else:
            assert value == device.get(path, location.get(path, alone.get(path)))
    refused = {(error.file, error.key) for error in merged.errors}
    tried = [("location.toml", location), ("device.toml", device)]
    assert refused == {
        (file, ".".join(path)) for file, values in tried for path in values if is_locked(path)
    }


def test_a_part_of_a_locked_table_is_locked_too() -> None:
    merged = merge(
        [DEFAULTS, layer("device", {("endpoint", "proxy"): 1}, bound=True)], ["endpoint"]
    )
    assert [error.key for error in merged.errors] == ["endpoint.proxy"]
    assert merged.data["endpoint"]["proxy"] == ""


def test_tables_merge_and_arrays_replace(county: County) -> None:
    county.edit(
        "devices/esim-0001.toml",
        'name = "Aula, pääovi"',
        'name = "Aula"\nlanguages = ["en"]\ncontact.en = "Ask here"',
    )
    from kiosk.fleet.resolve import resolve

    bundle = resolve(county.root, "esim-0001")
    assert bundle.languages == ("en",)
    assert bundle.organisation.contact == {"en": "Ask here"}
    assert bundle.screen.height_mm == 136
    assert bundle.timing.idle_s == 25
