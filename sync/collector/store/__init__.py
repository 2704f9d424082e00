"""Where the centre keeps things: tables, migrations, SQLite and PostgreSQL."""

from sync.collector.store.database import (
    DatabaseLockedError,
    NotAcknowledgedError,
    SchemaError,
    Store,
    StoreError,
    UnreachableError,
)
from sync.collector.store.schema import migrate, open_reader, open_store
from sync.collector.store.tx import Tx

__all__ = [
    "DatabaseLockedError",
    "NotAcknowledgedError",
    "SchemaError",
    "Store",
    "StoreError",
    "Tx",
    "UnreachableError",
    "migrate",
    "open_reader",
    "open_store",
]
