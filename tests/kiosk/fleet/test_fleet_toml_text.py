"""An edit touches what it is about and nothing else."""

from __future__ import annotations

import copy
import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from kiosk import paths
from kiosk.fleet.lines import locate
from kiosk.fleet.toml_text import BOM, TomlText

EXAMPLE = paths.example_config()
FILES = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.rglob("*.toml"))]
KEYS = st.text(st.sampled_from("ab-_1"), min_size=1, max_size=3)
ODD_KEYS = KEYS | st.text(st.sampled_from('a. "é#[]='), min_size=1, max_size=3)
WORDS = st.text(st.sampled_from("x\"'\\#[]{}=,\n\r\té\u00a0"), max_size=8)
SCALARS = WORDS | st.integers(0, 99) | st.booleans() | st.dates()
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(ODD_KEYS, SCALARS, max_size=3)
COMMENTS = st.sampled_from(["", "# a note", '# key = "no"', "   ", "\t# [not.a.table]"])


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML as people write it: comments, empty lines, tables in every form."""
    lines: list[str] = []

    def pairs(data: dict[str, Any]) -> None:
        for key, value in data.items():
            lines.append(draw(COMMENTS))
            text = tomlkit.dumps({key: tomlkit.item(value)}).rstrip("\n")
            if isinstance(value, dict):
                inner = tomlkit.inline_table()
                inner.update(value)
                text = tomlkit.dumps({key: inner}).rstrip("\n")
            tail = draw(st.sampled_from(["", "  # why", "   "]))
            lines.append(draw(st.sampled_from(["", "  "])) + text + tail)

    tables = st.dictionaries(ODD_KEYS, VALUES, max_size=3)
    pairs(draw(tables))
    top = set(tomllib.loads("\n".join(lines)))
    for name in draw(st.lists(st.sampled_from(["t", "u", "v.w"]), unique=True, max_size=2)):
        if name[0] not in top:
            lines += ["", draw(COMMENTS), f"[{name}] # table"]
            pairs(draw(tables))
    for _ in range(draw(st.integers(0, 2))):
        if "many" not in top:
            lines += ["", draw(COMMENTS), "[[many]]"]
            pairs(draw(tables))
    lines += draw(st.lists(COMMENTS, max_size=2))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    # An end of line inside a text would be another text in the other form.
    end = draw(st.sampled_from(["", newline]))
    return newline.join(lines) + end


def put(data: Any, path: tuple[Any, ...], value: object) -> None:
    for key in path[:-1]:
        data = data.setdefault(key, {}) if isinstance(data, dict) else data[key]
    data[path[-1]] = value


def value_at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data.get(path[-1], [])


def survivors(before: str, after: str) -> bool:
    """Whether the lines of `after` are those of `before`, less at most one, plus new ones."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return len(old) - head - tail <= 1


@given(documents() | st.sampled_from(FILES), st.data())
def test_setting_a_value_leaves_every_other_line(text: str, data: st.DataObject) -> None:
    parsed = tomllib.loads(text)
    there = [path for path in locate(text) if isinstance(path[-1], str)]
    tables: list[tuple[Any, ...]] = [()]
    for path in there:
        value: Any = parsed
        for key in path:
            value = value[key]
        if isinstance(value, dict):
            tables.append(path)
    new = [(*table, key) for table in tables for key in ("new", "né w")]
    plain = [p for p in there if p not in tables and (*p, 0) not in locate(text)]
    path = data.draw(st.sampled_from(plain + new))
    value = data.draw(VALUES)
    edited = TomlText(text)
    edited.set(path, value)
    expected = copy.deepcopy(parsed)
    put(expected, path, value)
    assert edited.data == expected
    if '"""' not in text:
        assert survivors(text, edited.text)


@given(documents() | st.sampled_from(FILES), st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_adding_an_entry_leaves_every_line(text: str, entry: dict[str, Any]) -> None:
    parsed = tomllib.loads(text)
    wanted: list[tuple[Any, ...]] = [("was",)]
    for name in ("service", "many"):
        wanted += [(name, index, "was") for index in range(len(parsed.get(name, [])))]
    for path in wanted:
        there = value_at(parsed, path)
        if not isinstance(there, list):
            continue
        edited = TomlText(text)
        edited.append(path, entry)
        edited.append(path, entry)
        expected = copy.deepcopy(parsed)
        put(expected, path, [*there, entry, entry])
        assert edited.data == expected
        old = iter(edited.text.splitlines(keepends=True))
        assert all(
            any(line.rstrip("\r\n") == other.rstrip("\r\n") for other in old)
            for line in text.splitlines(keepends=True)
        )


COMMENTED = """\
# head
id = "a" # the id

# about the panel
[screen]
width = 1

# end
"""


def test_a_new_key_stands_with_its_table_not_under_the_next_one_s_comment() -> None:
    text = TomlText(COMMENTED)
    text.set(("wipe",), True)
    assert text.text == COMMENTED.replace("the id\n", "the id\nwipe = true\n")


def test_an_entry_stands_after_the_last_one_of_its_subject() -> None:
    text = TomlText("[[s]]\nid = 1\n\n# two\n[[s]]\nid = 2\n")
    text.append(("s", 0, "was"), {"until": "2026-01-01"})
    assert text.text == (
        '[[s]]\nid = 1\n\n[[s.was]]\nuntil = "2026-01-01"\n\n# two\n[[s]]\nid = 2\n'
    )


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ('name = { fi = "A" } # n\n', ("name", "sv"), "B", 'name = { fi = "A", sv = "B" } # n\n'),
        ("name = {}\n", ("name", "sv"), "B", 'name = { sv = "B" }\n'),
        ('name.fi = "A"\nx = 1\n', ("name", "sv"), "B", 'name.fi = "A"\nname.sv = "B"\nx = 1\n'),
        ("[a.b]\nx = 1\n", ("a", "y"), 2, "[a.b]\nx = 1\n\n[a]\ny = 2\n"),
        ("x = 1", ("y",), dt.date(2026, 1, 1), "x = 1\ny = 2026-01-01\n"),
        ("x = 1 # one\r\n", ("x",), "a", 'x = "a" # one\r\n'),
        ("[t]\nx = 1\n", ("y",), 2, "y = 2\n[t]\nx = 1\n"),
        (f"{BOM}x = 1\n", ("x",), 2, f"{BOM}x = 2\n"),
        ("was = [{ u = 1 }]\n", ("was", 0, "u"), 3, "was = [{ u = 3 }]\n"),
    ],
)
def test_every_form_a_table_can_have(
    before: str, path: tuple[Any, ...], value: object, after: str
) -> None:
    text = TomlText(before)
    text.set(path, value)
    assert text.text == after


def test_a_list_of_tables_written_on_one_line_grows_there(tmp_path: Path) -> None:
    text = TomlText("was = [\n  { u = 1 }, # first\n]\n")
    text.append(("was",), {"u": 2})
    assert text.text == "was = [\n  { u = 1 }, { u = 2 }, # first\n]\n"
