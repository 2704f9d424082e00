"""Bringing a database to this program's schema, with Alembic's packaged migrations."""

from __future__ import annotations

import uuid
from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from sync.collector.store.database import (
    SchemaError,
    Store,
    StoreError,
    UnreachableError,
    described,
)

_FOLDER = Path(__file__).parent / "migrations"
_MIGRATING = int.from_bytes(b"hymio")
"""PostgreSQL's advisory lock while the schema changes."""


def _config() -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision this program knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise SchemaError("this installation has no migrations")
    return found


def revision(connection: sa.Connection) -> str | None:
    """The revision a database is at; None for a fresh one."""
    return MigrationContext.configure(connection).get_current_revision()


def migrate(store: Store) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the revisions before and after.

    Gives a fresh database its centre id. Raises SchemaError for one newer than this program.
    """
    config = _config()
    with store.begin() as connection:
        if not store.sqlite:
            # Several centres may start on one fresh database: one makes it, the others wait.
            connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
        before = revision(connection)
        if before is not None and not _known(before):
            raise SchemaError(
                f"the database is at {before}, which this program does not know: upgrade Hymiö"
            )
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")
        connection.execute(
            sa.text(
                "insert into meta(key, value) values ('centre', :id) on conflict (key) do nothing"
            ),
            {"id": str(uuid.uuid4())},
        )
    return before, head()


def _known(name: str) -> bool:
    return any(
        script.revision == name
        for script in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def _check(connection: sa.Connection) -> None:
    at = revision(connection)
    if at != head():
        raise SchemaError(
            f"the database is at {at or 'no revision'}, this program needs {head()}:"
            " run `hymio collector migrate`"
        )


def open_store(url: str, *, fresh: bool = False) -> Store:
    """Open a database for writing; with `fresh`, one without any table is migrated at once.

    Raises StoreError: locked, not reachable, or at another revision.
    """
    store = Store(url)
    try:
        with store.begin() as connection:
            at = revision(connection)
        if at is None and fresh:
            migrate(store)
        with store.begin() as connection:
            _check(connection)
    except sa.exc.DBAPIError as error:
        store.close()
        raise UnreachableError(described(error)) from None
    except StoreError:
        store.close()
        raise
    return store


def open_reader(url: str) -> Store:
    """Open a database for reading. Raises StoreError: not reachable, or at another revision."""
    store = Store(url, write=False)
    try:
        with store.read() as connection:
            _check(connection)
    except sa.exc.DBAPIError as error:
        store.close()
        raise UnreachableError(described(error)) from None
    except StoreError:
        store.close()
        raise
    return store
