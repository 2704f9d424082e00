"""A copy of the example county that a test may break."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from kiosk import paths
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.tree import Tree
from kiosk.fleet.validate import problems


@dataclass
class County:
    root: Path

    @classmethod
    def copied(cls, to: Path) -> County:
        shutil.copytree(paths.example_config(), to)
        return cls(to)

    def edit(self, file: str, old: str, new: str) -> int:
        """Replace the only `old` in a file; the line `new` begins on."""
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def edit_bytes(self, file: str, old: bytes, new: bytes) -> int:
        """The same, with line ends as they are."""
        path = self.root / file
        raw = path.read_bytes()
        assert raw.count(old) == 1
        path.write_bytes(raw.replace(old, new))
        return raw[: raw.index(old)].count(b"\n") + 1

    def write(self, file: str, text: str) -> None:
        (self.root / file).write_text(text, encoding="utf-8")

    def problems(self) -> list[ConfigError]:
        return problems(Tree.load(self.root))

    def errors(self) -> list[ConfigError]:
        return [problem for problem in self.problems() if problem.severity == "error"]
