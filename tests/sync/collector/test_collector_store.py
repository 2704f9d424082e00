"""The store: addresses, one writer, migrations, transactions that lost a race."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from sync.collector.store import (
    DatabaseLockedError,
    NotAcknowledgedError,
    SchemaError,
    Store,
    StoreError,
    Tx,
    UnreachableError,
    migrate,
    open_reader,
    open_store,
    schema,
)
from sync.collector.store.database import normalise
from sync.collector.store.tables import metadata


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("centre.db", "sqlite:///centre.db"),
        ("/var/lib/c.db", "sqlite:////var/lib/c.db"),
        ("sqlite:///c.db", "sqlite:///c.db"),
        ("sqlite+pysqlite:////a/c.db", "sqlite:////a/c.db"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_a_database_is_a_path_or_a_url(text: str, wanted: str) -> None:
    assert str(normalise(text)) == wanted


@pytest.mark.parametrize("text", ["", "mysql://h/d", "sqlite://", "http://[", "postgresql://h:x/d"])
def test_what_is_no_database_is_said(text: str) -> None:
    with pytest.raises(StoreError):
        normalise(text)


def test_the_migrations_make_the_tables(database: str) -> None:
    with open_store(database, fresh=True) as store, store.begin() as connection:
        # SQLite keeps a default's quotes; the test below compares those letter by letter.
        options = {"compare_server_default": not store.sqlite}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_on_sqlite_they_are_the_very_same_statements(tmp_path: Path) -> None:
    plain = sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    query = sa.text("select name, sql from sqlite_master where name not like '%alembic%'")
    with (
        open_store(str(tmp_path / "migrated.db"), fresh=True) as store,
        store.read() as migrated,
        plain.connect() as made,
    ):
        pairs = [
            {name: " ".join((sql or "").replace('"', "").split()) for name, sql in rows}
            for rows in (migrated.execute(query), made.execute(query))
        ]
    plain.dispose()

    def plainly(found: dict[str, str]) -> dict[str, str]:
        # A table that was copied has its defaults in brackets.
        bare = {k: re.sub(r"DEFAULT \(([^)]*)\)", r"DEFAULT \1", v) for k, v in found.items()}
        return {k: v.replace("DEFAULT 0", "DEFAULT '0'") for k, v in bare.items()}

    assert plainly(pairs[0]) == plainly(pairs[1])


def test_migrating_again_changes_nothing(database: str) -> None:
    with Store(database) as store:
        assert migrate(store)[0] is None
        with store.read() as connection:
            centre = Tx(connection).rows("select * from meta")
        before, after = migrate(store)
        assert before == after
        with store.read() as connection:
            assert Tx(connection).rows("select * from meta") == centre


def test_an_older_database_keeps_what_is_in_it(database: str) -> None:
    config = schema._config()
    with Store(database) as store:
        with store.begin() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "0002")
            tx = Tx(connection)
            tx.insert("locations", ("id", "name", "services"), [("l1", '{"fi": "Salo"}', '["s"]')])
            tx.insert("services", ("id", "name", "grouping"), [("s", '{"fi": "Suu"}', "health")])
            row = ("d1", "Aula", "l1", "active", 3, b"bundle", "ab", 7)
            names = ("id", "name", "location", "state", "version", "bundle", "bundle_sha256")
            tx.insert("devices", (*names, "last_seen_ms"), [row])
        assert migrate(store) == ("0002", schema.head())
        with store.read() as connection:
            tx = Tx(connection)
            assert tx.rows("select id, timezone, hours, history from locations") == [
                ("l1", "Europe/Helsinki", "", "")
            ]
            assert tx.rows("select id, grouping, merged_into from services") == [
                ("s", "health", "")
            ]
            found = tx.row(
                "select id, name, location, state, version, bundle, bundle_sha256, last_seen_ms, "
                "history, wiping from devices"
            )
            assert found == (*row, "", 0)


def test_a_schema_of_a_newer_program_is_left_alone(database: str) -> None:
    with open_store(database, fresh=True) as store, store.tx() as tx:
        tx.run("update alembic_version set version_num = '9999'")
    with pytest.raises(SchemaError, match="9999"):
        open_store(database, fresh=True)
    with pytest.raises(SchemaError, match="migrate"):
        open_reader(database)
    with Store(database) as store, pytest.raises(SchemaError, match="upgrade"):
        migrate(store)


def test_sqlite_takes_one_writer_and_any_readers(tmp_path: Path) -> None:
    path = str(tmp_path / "c.db")
    with open_store(path, fresh=True):
        with pytest.raises(DatabaseLockedError, match="another process"):
            Store(path)
        with open_reader(path) as reader, reader.read() as connection:
            assert Tx(connection).value("select count(*) from meta") == 1
            with pytest.raises(sa.exc.OperationalError, match="readonly"):
                connection.execute(sa.text("delete from meta"))
    open_store(path).close()


def test_a_reader_on_postgresql_cannot_write(database: str) -> None:
    open_store(database, fresh=True).close()
    with open_reader(database) as reader:
        with reader.read() as connection, pytest.raises(sa.exc.DBAPIError, match=r"read-?only"):
            connection.execute(sa.text("delete from meta"))
        with pytest.raises(StoreError), reader.begin():
            pass


@pytest.mark.parametrize("url", ["/nowhere/at/all.db", "postgresql://u@127.0.0.1:1/none"])
def test_what_is_not_there_is_unreachable(url: str) -> None:
    with pytest.raises(UnreachableError):
        open_reader(url)


def test_sqlite_promises_the_disk_has_it(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "c.db"), fresh=True) as store, store.tx() as tx:
        assert tx.value("pragma journal_mode") == "wal"
        assert tx.value("pragma synchronous") == 2


def test_a_transaction_that_fails_leaves_nothing(database: str) -> None:
    with open_store(database, fresh=True) as store:
        with pytest.raises(ZeroDivisionError), store.tx() as tx:
            tx.run("insert into meta(key, value) values ('x', 'y')")
            raise ZeroDivisionError
        with store.read() as connection:
            assert Tx(connection).value("select value from meta where key = 'x'") is None


@pytest.mark.postgres
def test_a_deadlock_is_retried_until_both_are_through(cluster: Any) -> None:
    with open_store(cluster.database(), fresh=True) as store:
        with store.tx() as tx:
            tx.insert("meta", ("key", "value"), [("a", "0"), ("b", "0")])
        meet = threading.Barrier(2)
        attempts: list[str] = []

        def work(first: str, second: str) -> None:
            def inside(tx: Tx) -> None:
                attempts.append(first)
                add = "update meta set value = (cast(value as int) + 1)::text where key = ?"
                tx.run(add, (first,))
                if len(attempts) <= 2:
                    meet.wait(60)
                tx.run(add, (second,))

            store.transact(inside)

        threads = [threading.Thread(target=work, args=a) for a in (("a", "b"), ("b", "a"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(attempts) == 3  # one of the two was undone once
        with store.read() as connection:
            assert Tx(connection).rows(
                "select key, value from meta where key in ('a', 'b') order by key"
            ) == [("a", "2"), ("b", "2")]


@pytest.mark.postgres
def test_a_warning_around_commit_is_no_acknowledgement(cluster: Any) -> None:
    with open_store(cluster.database(), fresh=True) as store:
        with store.begin() as connection:
            # A trigger that fires at COMMIT, as the warning about a lacking standby does.
            connection.execute(
                sa.text(
                    "create function warn() returns trigger language plpgsql as $$ begin "
                    "raise warning 'the standby lacks it'; return null; end $$"
                )
            )
            connection.execute(
                sa.text(
                    "create constraint trigger late after insert on meta "
                    "deferrable initially deferred for each row execute function warn()"
                )
            )
        with pytest.raises(NotAcknowledgedError, match="standby"), store.tx() as tx:
            tx.run("insert into meta(key, value) values ('x', 'y')")
        with store.tx() as tx:  # the next one is not blamed for it
            tx.run("update meta set value = 'z' where key = 'x'")


@pytest.mark.parametrize("rows", [3, 300])
def test_upsert_replaces_and_counts_disappear_at_zero(database: str, rows: int) -> None:
    with open_store(database, fresh=True) as store:
        for value in ("a", "b"):
            with store.tx() as tx:
                content = [(f"k{n}", value) for n in range(rows)]
                tx.upsert("meta", ("key", "value"), ("key",), content)
        with store.tx() as tx:
            assert tx.value("select count(*) from meta where value = 'b'") == rows
            key = ("location", "month", "question", "weekday", "hour", "test")
            row = ("l", "2026-03", "nps", 0, 9, False)
            tx.add_counts("hourly_counts", key, [(*row, 2)])
            tx.add_counts("hourly_counts", key, [(*row, -1)])
            assert tx.rows("select n from hourly_counts") == [(1,)]
            tx.add_counts("hourly_counts", key, [(*row, -1)])
            assert tx.rows("select n from hourly_counts") == []
