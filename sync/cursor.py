"""What the sender remembers (`sync.db`): how far each epoch got, exceptions, clocks, who it is."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from sync.epoch import writing
from sync.outbox import is_corruption

log = logging.getLogger("hymio.sync")

CLOCKS_KEPT: Final = 64
"""Boots whose clock is remembered and sent along."""
SCHEMA: Final = """
create table if not exists facts (key text primary key, value text not null) without rowid;
create table if not exists epochs (epoch text primary key, cursor integer not null) without rowid;
create table if not exists exceptions (
  epoch text not null, seq integer not null, verdict text not null, code text not null,
  primary key (epoch, seq)
) without rowid;
create table if not exists lost (
  epoch text not null, first integer not null, last integer not null, primary key (epoch, first)
) without rowid;
create table if not exists floors (epoch text primary key, seq integer not null) without rowid;
create index if not exists held on exceptions (epoch, seq) where verdict = 'held';
create table if not exists clocks (boot text primary key, offset_ms integer not null) without rowid;
"""


class Memory:
    """The sender's database; one process writes it. Raises sqlite3.Error, OSError.

    A damaged file is set aside and begun anew: without a cursor everything is sent again, which
    does no harm, and who we are is also in sender.json.
    """

    def __init__(self, path: Path) -> None:
        self.revision = 0
        """Rises whenever a cursor or an exception changes."""
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            if not is_corruption(error):
                raise
            log.error("%s is damaged and set aside: %s", path.name, error)
            for name in ("-wal", "-shm", ""):
                with contextlib.suppress(FileNotFoundError):
                    file = path.with_name(path.name + name)
                    file.replace(path.with_name(f"{path.name}.damaged{name}"))
            self._db = _open(path)
        self._facts: dict[str, str] = dict(
            self._db.execute("select key, value from facts").fetchall()
        )
        self._cursors: dict[str, int] = dict(
            self._db.execute("select epoch, cursor from epochs").fetchall()
        )
        self._floors: dict[str, int] = dict(
            self._db.execute("select epoch, seq from floors").fetchall()
        )
        self._clocks: dict[str, int] = dict(
            self._db.execute("select boot, offset_ms from clocks").fetchall()
        )

    # --- facts ------------------------------------------------------------------------------------

    def fact(self, key: str) -> str:
        """A fact, empty when unknown."""
        return self._facts.get(key, "")

    def learn(self, **facts: str) -> None:
        """Note facts, all or none."""
        with writing(self._db):
            self._note(facts)
        self._facts.update(facts)

    def move_in(self, **facts: str) -> None:
        """Note who we are: `centre`, `device` and whatever else.

        At another centre than before nothing counts as acknowledged. At the same one under another
        name, what went under the earlier name stays there and never goes again.
        """
        moved = self.fact("centre") not in ("", facts["centre"])
        earlier = self.fact("sent_as") or self.fact("device")
        renamed = not moved and earlier not in ("", facts["device"])
        facts["sent_as"] = facts["device"]
        with writing(self._db):
            if moved:
                self._db.execute("update epochs set cursor = 0")
                self._db.execute("delete from exceptions")
                self._db.execute("delete from lost")
                self._db.execute("delete from floors")
            if renamed:
                self._db.execute(
                    "insert into floors select epoch, cursor from epochs where cursor > 0"
                    " on conflict (epoch) do update set seq = max(seq, excluded.seq)"
                )
            self._note(facts)
        self._facts.update(facts)
        self.revision += 1
        if moved:
            self._cursors, self._floors = dict.fromkeys(self._cursors, 0), {}
        if renamed:
            self._floors = dict(self._db.execute("select epoch, seq from floors").fetchall())

    def restore(
        self,
        facts: dict[str, str],
        cursors: dict[str, int],
        held: dict[str, list[int]],
        floors: dict[str, int],
        lost: dict[str, list[list[int]]],
    ) -> None:
        """Begin with what sender.json still knows of a file that is gone, all or nothing."""
        with writing(self._db):
            self._note(facts)
            for name, value in cursors.items():
                self._db.execute("insert or replace into epochs values (?, ?)", [name, value])
            for name, value in floors.items():
                self._db.execute("insert or replace into floors values (?, ?)", [name, value])
            for name, seqs in held.items():
                for seq in seqs:
                    self._except(name, seq, "held", "memory_lost")
            for name, stretches in lost.items():
                for first, last in stretches:
                    self._db.execute(
                        "insert or replace into lost values (?, ?, ?)", [name, first, last]
                    )
        self._facts.update(facts)
        self._cursors.update(cursors)
        self._floors.update(floors)
        self.revision += 1

    def _note(self, facts: dict[str, str]) -> None:
        for item in facts.items():
            self._db.execute(
                "insert into facts values (?, ?) on conflict (key) do update set"
                " value = excluded.value",
                item,
            )

    # --- epochs -----------------------------------------------------------------------------------

    def cursor(self, epoch: str) -> int:
        """The seq up to which an epoch is at the centre."""
        return self._cursors.get(epoch, 0)

    def cursors(self) -> dict[str, int]:
        """All of them."""
        return dict(self._cursors)

    def floor(self, epoch: str) -> int:
        """The seq up to which an epoch went under an earlier name of this device; mostly 0."""
        return self._floors.get(epoch, 0)

    def floors(self) -> dict[str, int]:
        """All of them."""
        return dict(self._floors)

    def receipt(
        self,
        epoch: str,
        cursor: int,
        exceptions: Collection[tuple[int, str, str]] = (),
        sent: Collection[int] = (),
        lost: tuple[int, int] | None = None,
    ) -> None:
        """Note what a verified receipt says, in one transaction.

        `exceptions` are (seq, verdict, code); a record of `sent` (those sent in full) that is not
        among them has none any more. `lost` is the first and last seq of a stretch that was never
        sent, because it is not here any more.
        """
        told = {seq for seq, _, _ in exceptions}
        with writing(self._db):
            self._db.execute(
                "insert into epochs values (?, ?) on conflict (epoch) do update set"
                " cursor = excluded.cursor",
                [epoch, cursor],
            )
            if sent:
                found = self._db.execute(
                    "select seq from exceptions where epoch = ? and seq between ? and ?",
                    [epoch, min(sent), max(sent)],
                ).fetchall()
                for (seq,) in found:
                    if seq in sent and seq not in told:
                        self._db.execute(
                            "delete from exceptions where epoch = ? and seq = ?", [epoch, seq]
                        )
            for exception in exceptions:
                self._except(epoch, *exception)
            if lost is not None:
                self._db.execute(
                    "insert into lost values (?, ?, ?) on conflict (epoch, first) do update set"
                    " last = max(last, excluded.last)",
                    [epoch, *lost],
                )
        self._cursors[epoch] = cursor
        self.revision += 1

    def hold(self, epoch: str, seq: int, code: str) -> None:
        """A record is kept back: its placeholder goes from now on."""
        with writing(self._db):
            self._except(epoch, seq, "held", code)
        self.revision += 1

    def _except(self, epoch: str, seq: int, verdict: str, code: str) -> None:
        self._db.execute(
            "insert into exceptions values (?, ?, ?, ?) on conflict (epoch, seq) do update"
            " set verdict = excluded.verdict, code = excluded.code",
            [epoch, seq, verdict, code],
        )

    def held(self, epoch: str, first: int, limit: int) -> dict[int, str]:
        """seq -> code of records held back from `first` on, the lowest ones."""
        rows = self._db.execute(
            "select seq, code from exceptions where epoch = ? and verdict = 'held' and seq >= ?"
            " order by seq limit ?",
            [epoch, first, limit],
        ).fetchall()
        return {int(seq): str(code) for seq, code in rows}

    def lost(self) -> dict[str, list[list[int]]]:
        """epoch -> the stretches (first, last) that were never sent."""
        found: dict[str, list[list[int]]] = {}
        for epoch, first, last in self._db.execute("select epoch, first, last from lost"):
            found.setdefault(str(epoch), []).append([int(first), int(last)])
        return found

    def some_held(self, limit: int) -> list[tuple[str, int]]:
        """(epoch, seq) of records held back, any of them when there are more."""
        rows = self._db.execute(
            "select epoch, seq from exceptions where verdict = 'held' order by random() limit ?",
            [limit],
        ).fetchall()
        return sorted((str(epoch), int(seq)) for epoch, seq in rows)

    # --- clocks -----------------------------------------------------------------------------------

    def note_clock(self, boot: str, offset_ms: int) -> None:
        """Wall minus boottime of a boot whose clock was synchronised; written when it moved."""
        known = self._clocks.get(boot)
        if known is not None and abs(known - offset_ms) < 1000:
            return
        with writing(self._db):
            self._db.execute(
                "insert into clocks values (?, ?) on conflict (boot) do update set"
                " offset_ms = excluded.offset_ms",
                [boot, offset_ms],
            )
            # The offset is when the machine was started, so the highest are the newest.
            self._db.execute(
                "delete from clocks where boot not in"
                " (select boot from clocks order by offset_ms desc limit ?) and boot <> ?",
                [CLOCKS_KEPT, boot],
            )
        self._clocks = dict(self._db.execute("select boot, offset_ms from clocks").fetchall())

    def clocks(self) -> dict[str, int]:
        """boot -> wall ms minus boottime ms."""
        return dict(self._clocks)

    def close(self) -> None:
        """Close."""
        self._db.close()

    def raw(self) -> Any:
        """The sqlite-utils database, for what went onto sticks, and for tests."""
        return self._db


def _open(path: Path) -> Database:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    try:
        db = Database(connection, execute_plugins=False)
        db.execute("pragma journal_mode=wal").fetchone()
        db.execute("pragma synchronous=full")
        # All or nothing: the ledger may be read at any moment.
        db.executescript(f"begin;{SCHEMA}commit;")
        # SQLite opens a file it cannot write at that moment for reading only, and says nothing.
        db.execute("delete from facts where key is null")
        found = db.execute("pragma quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"{path.name}: {found}")
        path.chmod(0o660)
    except BaseException:
        connection.close()
        raise
    return db
