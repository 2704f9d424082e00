"""Plain SQL inside a transaction, the same text for both databases.

The hot path works on the driver's own cursor: through SQLAlchemy's Core a batch took three times
as long. Placeholders are written `?`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

Row = tuple[Any, ...]
_BULK: Final = 40
"""Rows from which PostgreSQL's COPY into a stage is faster than pipelined statements."""


@functools.cache
def _percent(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


@functools.cache
def _upsert(table: str, columns: tuple[str, ...], key: tuple[str, ...], source: str) -> str:
    rest = [c for c in columns if c not in key]
    action = ", ".join(f"{c} = excluded.{c}" for c in rest)
    does = f"do update set {action}" if rest else "do nothing"
    return (
        f"insert into {table} ({', '.join(columns)}) {source} on conflict ({', '.join(key)}) {does}"
    )


class Tx:
    """A running transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        driver: Any = connection.connection.driver_connection
        self.sqlite = connection.dialect.name == "sqlite"
        self._cursor: Any = driver.cursor()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        found: list[Row] = self._execute(sql, parameters).fetchall()
        return found

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """The first row of a query."""
        found: Row | None = self._execute(sql, parameters).fetchone()
        return found

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None when there is none."""
        found = self.row(sql, parameters)
        return found[0] if found else None

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute, and return the number of rows it touched."""
        return int(self._execute(sql, parameters).rowcount)

    def _execute(self, sql: str, parameters: Sequence[Any]) -> Any:
        return self._cursor.execute(sql if self.sqlite else _percent(sql), parameters)

    def many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute once per row."""
        if rows:
            self._cursor.executemany(sql if self.sqlite else _percent(sql), rows)

    def among(self, column: str, values: Iterable[Any]) -> tuple[str, Any]:
        """A condition `column is one of values` and its one parameter."""
        if self.sqlite:
            listed = msgspec.json.encode(list(values)).decode()
            return f"{column} in (select value from json_each(?))", listed  # noqa: S608
        return f"{column} = any(?)", list(values)

    def insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows that are known to be new."""
        if not rows:
            return
        if not self.sqlite and len(rows) >= _BULK:
            with self._cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("?" * len(columns))
        self.many(
            f"insert into {table} ({', '.join(columns)}) values ({marks})",  # noqa: S608
            rows,
        )

    def upsert(
        self,
        table: str,
        columns: tuple[str, ...],
        key: tuple[str, ...],
        rows: Sequence[Sequence[Any]],
    ) -> None:
        """Insert rows, replacing those with the same key."""
        if not rows:
            return
        if not self.sqlite and len(rows) >= _BULK:
            stage = self._stage(table, columns, rows)
            source = f"select {', '.join(columns)} from {stage}"  # noqa: S608
            self._cursor.execute(_upsert(table, columns, key, source))
            return
        marks = f"values ({', '.join('?' * len(columns))})"
        self.many(_upsert(table, columns, key, marks), rows)

    def _stage(self, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> str:
        stage = f"stage_{table}"
        if self._cursor.execute("select to_regclass(%s)", (f"pg_temp.{stage}",)).fetchone()[0]:
            self._cursor.execute(f"truncate {stage}")
        else:
            self._cursor.execute(
                f"create temp table {stage} on commit delete rows as "  # noqa: S608
                f"select {', '.join(columns)} from {table} with no data"
            )
        with self._cursor.copy(f"copy {stage} ({', '.join(columns)}) from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        return stage

    def add_counts(
        self, table: str, key: tuple[str, ...], changes: Sequence[Sequence[Any]]
    ) -> None:
        """Add changes (key columns, then the change) to a table of counts; zeros disappear."""
        columns = (*key, "n")
        marks = f"values ({', '.join('?' * len(columns))})"
        self.many(
            f"insert into {table} ({', '.join(columns)}) {marks} "
            f"on conflict ({', '.join(key)}) do update set n = {table}.n + excluded.n",
            changes,
        )
        fewer = [row[:-1] for row in changes if row[-1] < 0]
        where = " and ".join(f"{c} = ?" for c in key)
        self.many(f"delete from {table} where {where} and n = 0", fewer)  # noqa: S608


def columns_of(table: sa.Table, *leave_out: str) -> tuple[str, ...]:
    """A table's column names in order."""
    return tuple(c.name for c in table.columns if c.name not in leave_out)
