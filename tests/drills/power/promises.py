"""What the program had promised when the power went."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Promises:
    """Read from the program's lines, one by one."""

    made: list[list[str]] = field(default_factory=list)
    """Ids of records, by transaction, in the order they were begun."""
    stored: list[str] = field(default_factory=list)
    """Ids acknowledged, in order."""
    may_go: set[str] = field(default_factory=set)
    """Ids that pruning was told to take."""
    files: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    """Small file → the turn that was promised, and the one under way."""
    cursors: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    """Epoch → the cursor that was promised, and the one under way."""
    alarms: list[str] = field(default_factory=list)
    """Alarms there is reason for."""
    key: str = ""
    """The public key a centre may have been told."""

    @property
    def cut_short(self) -> int:
        """How many records of a commit of several may be missing between others of it.

        Where its pages came to the disk in another order, the outbox cannot tell that from damage.
        """
        last = self.made[-1] if self.made else []
        return len(last) - 1 if last and last[-1] not in self.stored else 0

    def hear(self, raw: bytes) -> None:
        """Take in a line."""
        word, *rest = json.loads(raw)
        self._hear(word, rest)

    def _hear(self, word: str, rest: list[Any]) -> None:
        match word:
            case "made":
                self.made.append(rest[0])
            case "stored":
                self.stored += rest[0]
            case "sent":
                # What a centre may have must stay, whether the screen acknowledged it or not.
                self.stored += [ident for ident in rest[0] if ident not in self.stored]
            case "may go":
                self.may_go.update(rest[0])
            case "writing" | "noting":
                known = self.files if word == "writing" else self.cursors
                known[rest[0]] = (known.get(rest[0], (None, 0))[0], rest[1])
            case "written" | "noted":
                known = self.files if word == "written" else self.cursors
                known[rest[0]] = (rest[1], rest[1])
            case "key":
                self.key = rest[0]
            case "cloned":
                self.alarms.append("cloned")
            case "done":
                pass
            case _:
                raise ValueError(f"the program says {word!r}")
