"""One edit of device-config/: planned in memory, judged, then written whole or not at all."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import tempfile
from pathlib import Path

from kiosk.fleet.errors import ConfigErrors, EditError
from kiosk.fleet.lines import Path as Keys
from kiosk.fleet.toml_text import TomlText
from kiosk.fleet.tree import Tree
from kiosk.fleet.validate import problems


class Edit:
    """What is to change in a folder. Nothing is written before `write`."""

    def __init__(self, root: Path, *, today: dt.date | None = None) -> None:
        self.root = root
        self.tree = Tree.load(root, today=today)
        self.errors = [e for e in problems(self.tree) if e.severity == "error"]
        self.today = self.tree.today
        self._before: dict[str, str | None] = {}
        self._after: dict[str, str] = {}

    def set(self, file: str, path: Keys, value: object) -> None:
        """Write one value of a file, as `TomlText.set`. Raises ConfigErrors, as `text`."""
        text = self.text(file)
        text.set(path, value)
        self._after[file] = text.text

    def append(self, file: str, path: Keys, entry: dict[str, object]) -> None:
        """Add an entry to an array of tables. Raises ConfigErrors, as `text`."""
        text = self.text(file)
        text.append(path, entry)
        self._after[file] = text.text

    def create(self, file: str, text: str) -> None:
        """Plan a new file. Raises EditError when it is there already."""
        if file in self._after or (self.root / file).exists():
            raise EditError(f"{file} is there already")
        self._before[file] = None
        self._after[file] = text

    def text(self, file: str) -> TomlText:
        """A file as it would be now. Raises ConfigErrors when it has errors as it stands."""
        if file not in self._after:
            mine = [error for error in self.errors if error.file == file]
            if mine:
                raise ConfigErrors(mine)
            self._before[file] = self._after[file] = _read(self.root / file)
        return TomlText(self._after[file])

    @property
    def changed(self) -> list[str]:
        """The files that would change, new ones too, in the order they were edited."""
        return [file for file, text in self._after.items() if self._before[file] != text]

    @property
    def created(self) -> list[str]:
        """Those of them that are new."""
        return [file for file in self.changed if self._before[file] is None]

    def diff(self) -> str:
        """What would change, as a unified diff."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n"
            for file in self.changed
            for line in difflib.unified_diff(
                (self._before[file] or "").splitlines(keepends=True),
                self._after[file].splitlines(keepends=True),
                "/dev/null" if self._before[file] is None else f"a/{file}",
                f"b/{file}",
            )
        )

    def judge(self) -> None:
        """Raises ConfigErrors with every error there would be that is not there now."""
        tree = Tree.load(self.root, today=self.today, instead=self._after)
        known = {(error.file, error.key, error.what) for error in self.errors}
        new = [
            error
            for error in problems(tree)
            if error.severity == "error" and (error.file, error.key, error.what) not in known
        ]
        if new:
            raise ConfigErrors(new)

    def write(self) -> None:
        """Judge, then write every changed file, each replaced at once.

        Raises ConfigErrors as `judge`, EditError when a file has changed meanwhile or cannot be
        written.
        """
        self.judge()
        waiting: dict[str, Path] = {}
        try:
            for file in self.changed:
                waiting[file] = self._beside(file)
            for file in waiting:
                path = self.root / file
                if (_read(path) if path.exists() else None) != self._before[file]:
                    raise EditError(f"{file} has changed meanwhile: nothing is written, try again")
            for file, temporary in waiting.items():
                temporary.replace((self.root / file).resolve())
            for folder in {(self.root / file).resolve().parent for file in waiting}:
                _sync(folder)
        except OSError as error:
            raise EditError(f"{error.filename or self.root}: {error.strerror}") from None
        finally:
            for temporary in waiting.values():
                temporary.unlink(missing_ok=True)

    def _beside(self, file: str) -> Path:
        """The new text in a file of its own next to the old one, on the disk for good."""
        path = (self.root / file).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(self._after[file].encode())
                out.flush()
                os.fsync(out.fileno())
            temporary.chmod(mode & 0o777)
        except OSError:
            temporary.unlink()
            raise
        return temporary


def _read(path: Path) -> str:
    return path.read_bytes().decode()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
