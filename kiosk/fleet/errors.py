"""What can go wrong with IT's files and commands.

FleetError
├── ConfigErrors     the files: everything that is wrong, each with place and remedy
├── EditError        an edit of the files that cannot be made
├── KeyFileError     a private key that is missing, damaged, or readable by others
└── AdminError       the centre
    ├── UnreachableError  no answer, or not from a Hymiö centre
    └── RefusedError      the centre says no, and why
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class ConfigError:
    """One thing that is wrong in the files."""

    file: str
    """Relative to the folder checked."""
    line: int
    """From 1; 0 when it is about the whole file."""
    key: str
    """Dotted, `screen.width_mm`; list items by position, `statements[2]`."""
    what: str
    remedy: str
    severity: Literal["error", "warning"] = "error"

    def entry(self) -> str:
        """Two lines for a list: place and fault, then the remedy."""
        place = f"{self.file}:{self.line}:" if self.line else f"{self.file}:"
        kind = " warning:" if self.severity == "warning" else ""
        key = f" {self.key}:" if self.key else ""
        return f"{place}{kind}{key} {self.what}\n    → {self.remedy}"

    def as_dict(self) -> dict[str, str | int]:
        """For `--format json`."""
        return asdict(self)


class FleetError(Exception):
    """Root of everything this package raises on purpose."""


class ConfigErrors(FleetError):  # noqa: N818 - several
    """All errors found at once; `errors` is sorted by file and line and never empty."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors: Sequence[ConfigError] = tuple(sorted(set(errors)))
        super().__init__("\n".join(error.entry() for error in self.errors))


class EditError(FleetError):
    """An edit that cannot be made; nothing was changed."""


class KeyFileError(FleetError):
    """A private key that is missing, damaged, or readable by others."""


class AdminError(FleetError):
    """The centre did not do what was asked."""


class UnreachableError(AdminError):
    """No answer, or not from a Hymiö centre."""


class RefusedError(AdminError):
    """The centre says no; `status` and `code` are those of its problem details."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status, self.code, self.detail = status, code, detail
        super().__init__(f"the centre refused ({status} {code}): {detail}")
