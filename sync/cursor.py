"""What the sender remembers (`sync.db`): how far each epoch got, exceptions, clocks, who it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

SCHEMA: Final = """
create table if not exists facts (key text primary key, value text not null) without rowid;
create table if not exists epochs (epoch text primary key, cursor integer not null) without rowid;
create table if not exists exceptions (
  epoch text not null, seq integer not null, verdict text not null, code text not null,
  primary key (epoch, seq)
) without rowid;
create table if not exists clocks (boot text primary key, offset_ms integer not null) without rowid;
"""


class Memory:
    """The sender's database; one process writes it. Raises sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._db = Database(connection, execute_plugins=False)
        self._db.execute("pragma journal_mode=wal").fetchone()
        self._db.execute("pragma synchronous=full")
        self._db.executescript(SCHEMA)
        path.chmod(0o660)

    # --- facts ------------------------------------------------------------------------------------

    def fact(self, key: str) -> str:
        """A fact, empty when unknown."""
        found = self._db.execute("select value from facts where key = ?", [key]).fetchone()
        return str(found[0]) if found else ""

    def learn(self, **facts: str) -> None:
        """Note facts, all or none."""
        self._db.execute("begin immediate")
        for item in facts.items():
            self._db.execute(
                "insert into facts values (?, ?) on conflict (key) do update set"
                " value = excluded.value",
                item,
            )
        self._db.execute("commit")

    # --- epochs -----------------------------------------------------------------------------------

    def cursor(self, epoch: str) -> int:
        """The seq up to which an epoch is at the centre."""
        found = self._db.execute("select cursor from epochs where epoch = ?", [epoch]).fetchone()
        return int(found[0]) if found else 0

    def cursors(self) -> dict[str, int]:
        """All of them."""
        return {row[0]: row[1] for row in self._db.execute("select epoch, cursor from epochs")}

    def receipt(self, epoch: str, cursor: int, exceptions: Sequence[tuple[int, str, str]]) -> None:
        """Note what a verified receipt says, in one transaction."""
        self._db.execute("begin immediate")
        self._db.execute(
            "insert into epochs values (?, ?) on conflict (epoch) do update set"
            " cursor = excluded.cursor",
            [epoch, cursor],
        )
        for seq, verdict, code in exceptions:
            self._db.execute(
                "insert into exceptions values (?, ?, ?, ?) on conflict (epoch, seq) do update"
                " set verdict = excluded.verdict, code = excluded.code",
                [epoch, seq, verdict, code],
            )
        self._db.execute("commit")

    def exceptions(self, epoch: str) -> dict[int, tuple[str, str]]:
        """seq -> (verdict, code)."""
        rows = self._db.execute(
            "select seq, verdict, code from exceptions where epoch = ?", [epoch]
        ).fetchall()
        return {row[0]: (row[1], row[2]) for row in rows}

    # --- clocks -----------------------------------------------------------------------------------

    def note_clock(self, boot: str, offset_ms: int) -> None:
        """Wall minus boottime of a boot whose clock was synchronised."""
        self._db.execute(
            "insert into clocks values (?, ?) on conflict (boot) do update set"
            " offset_ms = excluded.offset_ms",
            [boot, offset_ms],
        )

    def clocks(self) -> dict[str, int]:
        """boot -> wall ms minus boottime ms."""
        rows = self._db.execute("select boot, offset_ms from clocks").fetchall()
        return {row[0]: row[1] for row in rows}

    def close(self) -> None:
        """Close."""
        self._db.close()

    def raw(self) -> Any:
        """The sqlite-utils database, for tests."""
        return self._db
