"""What the commands that talk to the centre share: the way there, and whom it works for."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from kiosk.fleet import keys as keyfiles
from kiosk.fleet import rules
from kiosk.fleet.admin import Admin
from kiosk.fleet.errors import AdminError, KeyFileError
from kiosk.fleet.tree import Tree
from sync.contract.bundle import fingerprint

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def open_admin(tree: Tree, keys: Path, url: str) -> Admin:
    """The centre as this operator. Raises KeyFileError; wrong use without a safe address."""
    data = tree.organisation.data if tree.organisation else {}
    settings = data.get("endpoint", {})
    where = url or settings.get("url", "")
    fault = rules.endpoint(where)
    if fault:
        raise click.BadParameter(f"{fault.what}; {fault.remedy}", param_hint="--url")
    return Admin(where, keyfiles.read(keys, keyfiles.OPERATOR), proxy=settings.get("proxy", ""))


def trusted_key(tree: Tree, keys: Path, admin: Admin) -> str:
    """The organisation's public key, on which the centre and this desk agree.

    The fingerprint on a label must be ours, whatever answers. Raises AdminError, KeyFileError.
    """
    trusted = str(admin.organisation().get("key", ""))
    if not trusted:
        raise AdminError("the centre has no configuration of this organisation: publish first")
    for path in (tree.root / "keys" / "organisation.pub", keys / "organisation.pub"):
        if path.is_file():
            ours = keyfiles.read_public(path)
            if trusted != ours:
                raise KeyFileError(
                    f"the centre names the organisation's key {fingerprint(trusted)}, {path} says"
                    f" {fingerprint(ours)}: is this the right centre?"
                )
            break
    return trusted


def confirmed(question: str, yes: bool) -> None:
    """Ask, unless --yes; wrong use where nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say so with --yes")
    click.confirm(question, abort=True, err=True)


@contextlib.contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[object], None]]:
    """A bar on a terminal, nothing in a log; call what it gives after each piece."""
    with click.progressbar(
        length=total, label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield lambda _: bar.update(1)


def local(when: dt.datetime) -> str:
    """A time as people at the desk read it."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M %Z")
