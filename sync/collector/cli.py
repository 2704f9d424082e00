"""`hymio collector`: the centre's commands."""

from __future__ import annotations

import contextlib
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import argon2
import click
import sqlalchemy as sa

from sync.collector import local, maintenance, serving
from sync.collector.purge import purge_text
from sync.collector.store import (
    DatabaseLockedError,
    SchemaError,
    Store,
    StoreError,
    UnreachableError,
    open_reader,
    open_store,
)
from sync.collector.store.database import described
from sync.collector.store.schema import migrate as bring_up
from sync.contract import bundle

CANNOT_REACH = 3
DOES_NOT_HOLD = 1

_database = click.option(
    "--database",
    required=True,
    envvar="HYMIO_DATABASE",
    metavar="URL",
    help="sqlite:///path.db, a path, or postgresql://user:password@host/name",
)
_format = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """Turn what a database says into a sentence and an exit code."""
    try:
        yield
    except (DatabaseLockedError, UnreachableError) as error:
        _fail(str(error), CANNOT_REACH)
    except SchemaError as error:
        _fail(str(error), DOES_NOT_HOLD)
    except StoreError as error:
        _fail(str(error), 2)
    except sa.exc.DBAPIError as error:
        _fail(described(error), CANNOT_REACH)


def _fail(text: str, code: int) -> None:
    click.echo(f"hymio: {text}", err=True)
    sys.exit(code)


def _write(database: str) -> Store:
    return open_store(database, fresh=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def collector() -> None:
    """The centre: takes in what the terminals send.

    Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use, 3 cannot reach something.
    """


@collector.command()
@_database
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one",
)
@click.option("--prefix", default="", help="public path before /v1, where a proxy takes one off")
@click.option("--no-web", is_flag=True, help="only the API, no pages")
def serve(database: str, host: str, port: int, prefix: str, no_web: bool) -> None:
    """Listen for terminals, IT's commands and readers until SIGTERM or Ctrl-C.

    A fresh database is migrated first. TLS ends at the proxy in front.
    """
    with _complaints():
        try:
            serving.serve(database, host=host, port=port, prefix=prefix, web=not no_web)
        except OSError as error:
            _fail(f"cannot listen on {host}:{port}: {error.strerror}", CANNOT_REACH)


@collector.command()
@_database
def migrate(database: str) -> None:
    """Bring the database to this program's schema; a fresh one is made. Can be repeated."""
    with _complaints(), Store(database) as store:
        before, after = bring_up(store)
    click.echo(
        f"the schema is at {after}"
        if before == after
        else f"the schema is now at {after} (was: {before or 'none'})"
    )


@collector.command("add-operator")
@_database
@click.option("--name", required=True, help="who this is, for the audit log")
@click.option("--key", required=True, help="public key, base64 of 32 bytes (operator.pub)")
def add_operator(database: str, name: str, key: str) -> None:
    """Register the key of someone from IT. The same name gets the new key. Can be repeated.

    Also while the centre runs.
    """
    try:
        bundle.read_key(key.strip())
    except bundle.BundleError as error:
        raise click.BadParameter(str(error), param_hint="--key") from None
    try:
        with _complaints():
            local.change(database, "add-operator", name=name, key=key.strip())
    except local.ChangeError as error:
        raise click.BadParameter(str(error), param_hint="--key") from None
    click.echo(f"operator {name}: {bundle.fingerprint(key.strip())}")


@collector.command("add-user")
@_database
@click.option("--name", required=True, help="login name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "admin"]),
    default="viewer",
    show_default=True,
    help="viewers read, admins also change",
)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="read the password from standard input; one is made and printed otherwise",
)
def add_user(database: str, name: str, role: str, password_stdin: bool) -> None:
    """Add someone who reads the pages, or give them a new password. Also while the centre runs."""
    password = secrets.token_urlsafe(12)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
        if len(password) < 8:
            raise click.UsageError("a password has at least 8 characters")
    hashed = argon2.PasswordHasher().hash(password)
    with _complaints():
        local.change(database, "add-user", name=name, hashed=hashed, role=role)
    click.echo(f"{name} ({role})" if password_stdin else f"{name} ({role}): {password}")


def _maintain(database: str, work: Callable[[Store], dict[str, Any]], form: str) -> dict[str, Any]:
    with _complaints(), _write(database) as store:
        done = work(store)
    _print(done, form)
    return done


def _print(found: dict[str, Any], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for name, value in found.items():
        if isinstance(value, list):
            for line in value:
                click.echo(f"{name}: {line}")
        else:
            click.echo(f"{name}: {value}")


@collector.command()
@_database
@_format
def rebuild(database: str, form: str) -> None:
    """Compute visits, answers and counts anew from the records. The centre must be stopped.

    On PostgreSQL the centre may run: its batches wait.
    """
    _maintain(database, lambda store: maintenance.rebuild(store, now_ms=_now_ms()), form)


@collector.command()
@_database
@_format
def flags(database: str, form: str) -> None:
    """Compute the flags burst, clone and ten-run anew, for every visit there is.

    Also while the centre runs, which otherwise keeps them up to date by itself. Can be repeated.
    """
    with _complaints():
        done = local.change(database, "flags")
    _print(done, form)


@collector.command()
@_database
@_format
def verify(database: str, form: str) -> None:
    """Hold visits, answers and counts against the records; list every epoch's gaps.

    Reads only, also while the centre runs. Exit 1 when something differs.
    """
    with _complaints():
        store = open_reader(database)
        try:
            found = maintenance.verify(store)
        finally:
            store.close()
    _print(found, form)
    if found["differences"]:
        sys.exit(DOES_NOT_HOLD)


@collector.command()
@_database
@click.option("--text-days", type=click.IntRange(0), required=True, help="days open text is kept")
@_format
def purge(database: str, text_days: int, form: str) -> None:
    """Remove open text older than so many days; an audit line stays. The centre must be stopped.

    On PostgreSQL the centre may run.
    """
    _maintain(database, lambda store: purge_text(store, days=text_days, now_ms=_now_ms()), form)


@collector.command()
@_database
@click.option(
    "--revocations",
    type=click.File("r"),
    help="list kept outside the database: one `device reason` a line",
)
@click.option(
    "--text-days",
    type=click.IntRange(0),
    help="days open text is kept; as the last purge the backup knows of, when left out",
)
@_format
def restored(database: str, revocations: Any, text_days: int | None, form: str) -> None:
    """After a restore from a backup, before `serve`: purge, revoke again, close open codes.

    The purge comes first: the backup still has the text that was purged since. Devices send anew
    what the backup lacks; that needs no command.
    """
    lines = [line.strip() for line in revocations or () if line.strip()]
    listed = [(device, reason.strip()) for device, _, reason in (x.partition(" ") for x in lines)]
    _maintain(
        database,
        lambda store: maintenance.restored(store, listed, text_days=text_days, now_ms=_now_ms()),
        form,
    )
