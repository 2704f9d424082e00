"""Changes an administrator makes from the command line, also while the centre runs on SQLite.

SQLite takes one writer: one connection in one process, for two that write or checkpoint can damage
a WAL (SQLite 3.7.0-3.51.2). So a command that finds the file taken asks the process that has it: a
Unix socket beside the database, open to whoever may write the database and to nobody else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sync.collector import audit, marking
from sync.collector.store import DatabaseLockedError, Store, Tx, open_store

log = logging.getLogger("hymio.collector")

_LINE: Final = 64 << 10
_READ_S: Final = 10.0
ANSWER_S: Final = 900.0
"""Seconds a running centre has for a change; computing all flags is the longest."""


class ChangeError(Exception):
    """The change contradicts what is there."""


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def add_operator(store: Store, name: str, key: str) -> dict[str, Any]:
    """Register or replace the key of someone from IT. Raises ChangeError: another one's key."""

    def work(tx: Tx) -> dict[str, Any]:
        owner = tx.value("select name from operators where key = ?", (key,))
        if owner not in (None, name):
            raise ChangeError(f"this key is {owner}'s")
        tx.run(
            "insert into operators(name, key, created_ms) values (?, ?, ?) on conflict (name) "
            "do update set key = excluded.key, disabled_ms = null",
            (name, key, _now_ms()),
        )
        audit.note(tx, _now_ms(), "command line", "operator.add", {"name": name, "key": key})
        return {}

    return store.transact(work)


def add_user(store: Store, name: str, hashed: str, role: str) -> dict[str, Any]:
    """Add a reader of the pages, or give them a new password (its argon2 hash)."""

    def work(tx: Tx) -> dict[str, Any]:
        tx.run(
            "insert into users(name, password_hash, role, created_ms) values (?, ?, ?, ?) "
            "on conflict (name) do update set password_hash = excluded.password_hash, "
            "role = excluded.role, disabled_ms = null",
            (name, hashed, role, _now_ms()),
        )
        # A new password ends what the old one opened.
        tx.run('delete from sessions where "user" = ?', (name,))
        audit.note(tx, _now_ms(), "command line", "user.add", {"name": name, "role": role})
        return {}

    return store.transact(work)


CHANGES: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    "add-operator": add_operator,
    "add-user": add_user,
    "flags": marking.mark_all,
}
"""What can be asked of a running centre: name -> function of the store and JSON arguments."""


def change(database: str, what: str, /, **arguments: str) -> dict[str, Any]:
    """Make a change here, or where the file is taken through the centre that has it.

    Raises ChangeError, StoreError (DatabaseLockedError when whoever has the file does not answer).
    """
    try:
        store = open_store(database, fresh=True)
    except DatabaseLockedError as locked:
        path = Path(Store.path_of(database))
        return _ask(path, {"do": what, "with": arguments}, locked)
    with store:
        return CHANGES[what](store, **arguments)


def _ask(path: Path, request: dict[str, Any], locked: DatabaseLockedError) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX) as asking, _short(path) as name:
            asking.settimeout(ANSWER_S)
            asking.connect(name)
            asking.sendall(json.dumps(request).encode() + b"\n")
            with asking.makefile("rb") as answer:
                reply = json.loads(answer.readline())
    except (OSError, ValueError) as error:
        raise DatabaseLockedError(
            f"{locked}; it could not be asked to make the change ({error}): run the command as the"
            " user the centre runs as, or wait until the other command has ended"
        ) from None
    if "refused" in reply:
        raise ChangeError(reply["refused"])
    if "failed" in reply:
        raise DatabaseLockedError(f"the running centre could not: {reply['failed']}")
    done: dict[str, Any] = reply["done"]
    return done


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """The socket's name, short enough for the system (108 bytes) whatever folder it is in."""
    folder = os.open(path.parent, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}.socket"
    finally:
        os.close(folder)


class Door:
    """Where a running centre on SQLite takes changes from the command line."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="door", daemon=True)

    def start(self) -> None:
        """Listen. Without a place for a socket the centre runs, and commands say what to do."""
        path = self._store.path
        listener = socket.socket(socket.AF_UNIX)
        try:
            with _short(path) as name:
                # Whoever left it there is gone: the lock is ours.
                Path(name).unlink(missing_ok=True)
                listener.bind(name)
                Path(name).chmod(0o600)
        except OSError as error:
            listener.close()
            log.warning("commands cannot reach this centre while it runs: %s", error)
            return
        listener.listen(4)
        self._listener = listener
        self._thread.start()

    def close(self) -> None:
        """Finish the change at hand and listen no more."""
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with contextlib.suppress(OSError), _short(self._store.path) as name:
            Path(name).unlink()

    def _serve(self) -> None:
        assert self._listener is not None  # noqa: S101 - narrows
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            with caller, contextlib.suppress(OSError):
                caller.settimeout(_READ_S)
                with caller.makefile("rb") as lines:
                    line = lines.readline(_LINE)
                caller.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            return {"done": CHANGES[request["do"]](self._store, **request["with"])}
        except ChangeError as error:
            return {"refused": str(error)}
        except Exception as error:
            log.exception("a change from the command line failed")
            return {"failed": f"{type(error).__name__}: {error}"}
