"""A copy of the example county that a test may break."""

from __future__ import annotations

import datetime as dt
import difflib
import shutil
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from kiosk import paths
from kiosk.fleet.cli import fleet
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.tree import Tree
from kiosk.fleet.validate import problems

EXAMPLE = paths.example_config()


@dataclass
class County:
    root: Path

    @classmethod
    def copied(cls, to: Path) -> County:
        shutil.copytree(EXAMPLE, to)
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

    def problems(self, today: dt.date | None = None) -> list[ConfigError]:
        return problems(Tree.load(self.root, today=today))

    def files(self) -> dict[str, bytes]:
        """Everything in the folder, byte for byte."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def run(self, *words: str, stdin: str | None = None) -> Result:
        """`hymio fleet …` on this folder."""
        words = (words[0], "--root", str(self.root), *words[1:])
        return CliRunner().invoke(fleet, words, input=stdin, catch_exceptions=False)

    def ok(self, *words: str, stdin: str | None = None) -> str:
        """The same, where it must succeed; what it says."""
        done = self.run(*words, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.output

    def errors(self) -> list[ConfigError]:
        return [problem for problem in self.problems() if problem.severity == "error"]


def lost_lines(before: bytes, after: bytes) -> int:
    """How many lines of `before` are not in `after`, in their order and to the byte."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matched = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return len(old) - sum(block.size for block in matched)
