"""Where in a TOML text each key and value stands. The text must be valid TOML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_QUOTES = ('"""', "'''", '"', "'")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Path) -> str:
    """A path as people write it: `screen.width_mm`, `service[2].name`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        name = part if _BARE.fullmatch(part) else f'"{part}"'
        text += f".{name}" if text else name
    return text


def locate(text: str) -> dict[Path, int]:
    """Path of every key, table and list item -> its line, from 1."""
    return survey(text).lines


@dataclass
class Places:
    """Offsets are characters from the beginning of the text."""

    lines: dict[Path, int] = field(default_factory=dict)
    """Path of every key, table and list item -> its line, from 1."""
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    """Path of every value written out -> where it begins and ends."""
    inner: dict[Path, int] = field(default_factory=dict)
    """Inline table or list -> where its last item ends, or where it opens when it is empty."""
    rows: dict[Path, tuple[Path, int, int]] = field(default_factory=dict)
    """Path of every `key = value` on lines of its own -> its header, where the key begins, and
    where the line ends."""
    ends: dict[Path, int] = field(default_factory=dict)
    """Header, () for the top -> where the line of its last pair, or its own, ends."""


def survey(text: str) -> Places:
    """Where everything in a text stands."""
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.found = Places()
        self.lines = self.found.lines
        self.items: dict[Path, int] = {}  # array of tables -> how many so far

    def run(self) -> Places:
        base: Path = ()
        while self._skip():
            if self._peek("["):
                base = self._header()
            else:
                start = self.at
                path = self._pair(base)
                self.found.rows[path] = base, start, self._line_end()
            self.found.ends[base] = self._line_end()
        return self.found

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end + 1

    def _peek(self, what: str) -> bool:
        return self.text.startswith(what, self.at)

    def _move(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def _skip(self, also: str = "") -> bool:
        """Over white space, comments and `also`; whether anything is left."""
        while self.at < len(self.text):
            if self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self._move((len(self.text) if end < 0 else end) - self.at)
            elif self.text[self.at].isspace() or self.text[self.at] in also:
                self._move(1)
            else:
                return True
        return False

    def _note(self, path: Path) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], self.line)

    def _resolve(self, keys: list[str]) -> Path:
        """A header's path: inside the last item of every array of tables on the way."""
        path: Path = ()
        for key in keys:
            path += (key,)
            if path in self.items:
                path += (self.items[path] - 1,)
        return path

    def _header(self) -> Path:
        many = self._peek("[[")
        self._move(2 if many else 1)
        keys = self._keys("]")
        self._move(2 if many else 1)
        if not many:
            path = self._resolve(keys)
            self._note(path)
            return path
        path = (*self._resolve(keys[:-1]), keys[-1])
        count = self.items.get(path, 0)
        self.items[path] = count + 1
        self._note((*path, count))
        return (*path, count)

    def _keys(self, until: str) -> list[str]:
        keys = []
        while self._skip(also=".") and not self._peek(until):
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                keys.append(str(tomllib.loads(f"k = {self.text[start : self.at]}")["k"]))
            elif found := _BARE.match(self.text, self.at):
                keys.append(found.group())
                self._move(len(found.group()))
            else:
                raise ValueError(f"no key on line {self.line}")  # not TOML: never after tomllib
        return keys

    def _pair(self, base: Path) -> Path:
        line = self.line
        path = base + tuple(self._keys("="))
        for end in range(len(base) + 1, len(path) + 1):
            self.lines.setdefault(path[:end], line)
        self._move(1)
        self._skip()
        self._value(path)
        return path

    def _value(self, path: Path) -> None:
        start = self.at
        if self.text[self.at] in "\"'":
            self._string()
        elif self._peek("["):
            self._move(1)
            self.found.inner[path] = self.at
            index = 0
            while self._skip(also=",") and not self._peek("]"):
                self._note((*path, index))
                self._value((*path, index))
                self.found.inner[path] = self.at
                index += 1
            self._move(1)
        elif self._peek("{"):
            self._move(1)
            self.found.inner[path] = self.at
            while self._skip(also=",") and not self._peek("}"):
                self._pair(path)
                self.found.inner[path] = self.at
            self._move(1)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self._move(1)
            self._move(len(self.text[start : self.at].rstrip()) - (self.at - start))
        self.found.values[path] = start, self.at

    def _string(self) -> None:
        quote = next(q for q in _QUOTES if self._peek(q))
        self._move(len(quote))
        while not self._peek(quote):
            # A backslash escapes in basic strings only.
            self._move(2 if self._peek("\\") and quote[0] == '"' else 1)
        self._move(len(quote))
        # A multi-line string may end in up to two quotes of its own before the closing three.
        while len(quote) == 3 and self._peek(quote[0]):
            self._move(1)
