"""One consistent view of the database for everything a report reads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from sync.collector.store import Store


@contextlib.contextmanager
def snapshot(store: Store) -> Iterator[sa.Connection]:
    """A read-only connection in which every query sees the same moment.

    Without it a batch committed between two queries gives a total its rows do not explain.
    """
    with store.read() as connection:
        if store.sqlite:
            connection.exec_driver_sql("begin")
            yield connection
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ")
