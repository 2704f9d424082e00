"""Accounts of the pages: argon2 passwords, sessions in the database, guesses slowed down."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sync.collector.store import Store
from sync.collector.store import tables as t

ROLES: Final = ("viewer", "admin")
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 256
"""Longer ones are refused unread: hashing must not be a way to make the centre work."""
SESSION_MS: Final = 10 * 3600 * 1000
"""A working day; then one signs in again."""
FREE_GUESSES: Final = 5
"""Wrong passwords before waiting begins."""
LONGEST_WAIT_S: Final = 300
FREE_GUESSES_PER_ADDRESS: Final = 50
"""A county can be one address, so there it begins later."""

_hasher = PasswordHasher()
# What is verified for unknown names, so that they take as long as known ones.
_NOBODY: Final = _hasher.hash(secrets.token_urlsafe(16))
# Each hash takes 64 MiB: guesses from everywhere at once must not eat the machine.
_hashing = threading.BoundedSemaphore(2)


class AccountError(Exception):
    """An account that cannot be made; the text says why."""


@dataclass(frozen=True)
class User:
    """Who is signed in."""

    name: str
    role: str


@dataclass(frozen=True)
class Session:
    """A signed-in browser."""

    user: User
    csrf: str
    token_sha256: str


def hash_password(password: str) -> str:
    """The argon2id hash of a password. Raises AccountError for one too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise AccountError(
            f"a password has at least {MIN_PASSWORD} and at most {MAX_PASSWORD} characters"
        )
    with _hashing:
        return _hasher.hash(password)


def add_user(store: Store, name: str, password: str, *, role: str, now_ms: int) -> None:
    """Make an account. Raises AccountError: a taken name, an unknown role, a weak password."""
    if role not in ROLES:
        raise AccountError(f"the role is one of {', '.join(ROLES)}")
    if not name or name != name.strip() or len(name) > 100:
        raise AccountError("a name has 1 to 100 characters and no spaces around it")
    row = {"name": name, "password_hash": hash_password(password), "role": role}
    try:
        with store.begin() as db:
            db.execute(t.users.insert().values(**row, created_ms=now_ms))
    except sa.exc.IntegrityError:
        raise AccountError(f"there is a user {name!r} already") from None


def check(store: Store, name: str, password: str) -> User | None:
    """The user whose name and password these are; None otherwise, after the same time."""
    if len(password) > MAX_PASSWORD or "\x00" in name:
        return None
    with store.read() as db:
        c = t.users.c
        row = db.execute(
            sa.select(c.name, c.role, c.password_hash).where(
                c.name == name, c.disabled_ms.is_(None)
            )
        ).first()
    try:
        with _hashing:
            _hasher.verify(row.password_hash if row else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return User(row.name, row.role) if row else None


def exists(store: Store, name: str) -> bool:
    """Whether there is an account of this name."""
    if "\x00" in name:
        return False
    with store.read() as db:
        return db.scalar(sa.select(t.users.c.name).where(t.users.c.name == name)) is not None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def begin_session(store: Store, user: User, now_ms: int) -> str:
    """A new session; returns the token, which only the cookie will hold."""
    token = secrets.token_urlsafe(32)
    with store.begin() as db:
        db.execute(t.sessions.delete().where(t.sessions.c.expires_ms <= now_ms))
        db.execute(
            t.sessions.insert().values(
                token_sha256=_digest(token),
                user=user.name,
                csrf=secrets.token_urlsafe(32),
                created_ms=now_ms,
                expires_ms=now_ms + SESSION_MS,
            )
        )
    return token


def find_session(store: Store, token: str, now_ms: int) -> Session | None:
    """The session of a cookie; None for an unknown, expired or disabled one."""
    s, u = t.sessions.c, t.users.c
    digest = _digest(token)
    with store.read() as db:
        row = db.execute(
            sa.select(u.name, u.role, s.csrf)
            .join(t.users, u.name == s.user)
            .where(s.token_sha256 == digest, s.expires_ms > now_ms, u.disabled_ms.is_(None))
        ).first()
    return Session(User(row.name, row.role), row.csrf, digest) if row else None


def end_session(store: Store, session: Session) -> None:
    """Forget a session."""
    with store.begin() as db:
        db.execute(t.sessions.delete().where(t.sessions.c.token_sha256 == session.token_sha256))


class Guesses:
    """Wrong passwords by name and by address: after a few, each further one waits longer.

    Slows down and never locks out: a wait is at most five minutes. Kept in memory, bounded.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._wrong: OrderedDict[str, tuple[int, int]] = OrderedDict()

    @staticmethod
    def _keys(name: str, address: str) -> tuple[tuple[str, int], ...]:
        # The name is hashed: people type their password into the wrong field.
        return (
            (f"name:{_digest(name)}", FREE_GUESSES),
            (f"address:{address}", FREE_GUESSES_PER_ADDRESS),
        )

    def wait_s(self, name: str, address: str, now_ms: int) -> int:
        """Seconds until the next guess is taken; 0: now."""
        with self._lock:
            found = [self._wrong.get(key, (0, 0))[1] for key, _ in self._keys(name, address)]
        return max(0, -(-(max(found) - now_ms) // 1000))

    def wrong(self, name: str, address: str, now_ms: int) -> None:
        """Count a wrong password."""
        with self._lock:
            for key, free in self._keys(name, address):
                count = self._wrong.pop(key, (0, 0))[0] + 1
                wait = min(LONGEST_WAIT_S, 2 ** min(count - free, 16)) if count >= free else 0
                self._wrong[key] = (count, now_ms + wait * 1000)
            while len(self._wrong) > self._size:
                self._wrong.popitem(last=False)

    def right(self, name: str, address: str) -> None:
        """Forget a name's wrong guesses; the address keeps its own."""
        with self._lock:
            self._wrong.pop(self._keys(name, address)[0][0], None)
