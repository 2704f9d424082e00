"""The one-time code of an enrolment, and the ticket a label or a USB stick carries.

A code is sixteen characters in four groups, `K7QM-4T2P-9XWB-3HNA`. The first twelve are the secret
(58.9 bits) and all the centre ever sees of it, as a hash. The last group is a check over them and
the organisation's public key: it never leaves desk and device, so an endpoint that answers with a
key of its own is found out (one in 810,000 passes).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import zlib
from collections.abc import Callable

import msgspec

from sync.contract import wire
from sync.contract.bundle import fingerprint

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0 O 1 I L U, which are misread."""
BODY = 12
CHECK = 4
GROUP = 4
_QR = "HYMIO1"


class TicketError(Exception):
    """What was scanned or read from a stick is not a ticket; the text is for people."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All a device needs to enrol; nothing in it is a lasting secret."""

    endpoint: str
    code: str
    fingerprint: str = ""
    """Of the organisation's key, as `bundle.fingerprint` writes it."""
    device: str = ""
    name: str = ""
    """Place and device in words, for whoever chooses among several."""
    proxy: str = ""


def make(organisation_key: str, choose: Callable[[str], str] = secrets.choice) -> str:
    """A new code whose last group checks a public key (base64). Raises BundleError."""
    body = "".join(choose(ALPHABET) for _ in range(BODY))
    return grouped(body + check(body, organisation_key))


def plain(code: str) -> str:
    """A code as it is compared: upper case, without dashes and spaces."""
    return "".join(c for c in code.upper() if c.isalnum())


def grouped(code: str) -> str:
    """A code as people read it, in groups of four."""
    text = plain(code)
    return "-".join(text[at : at + GROUP] for at in range(0, len(text), GROUP))


def secret(code: str) -> str:
    """The part the centre is told: the first twelve characters."""
    return plain(code)[:BODY]


def sha256(code: str) -> str:
    """Hex SHA-256 of the secret part: what the centre keeps."""
    return hashlib.sha256(secret(code).encode()).hexdigest()


def check(body: str, organisation_key: str) -> str:
    """The last group: 19.6 bits over the secret and the key's fingerprint. Raises BundleError."""
    text = f"hymio-code {secret(body)} {fingerprint(organisation_key)}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    letters = ""
    for _ in range(CHECK):
        number, at = divmod(number, len(ALPHABET))
        letters += ALPHABET[at]
    return letters


def holds(code: str, organisation_key: str) -> bool:
    """Whether a code's last group fits a key; one without a last group fits any.

    Raises BundleError when the key is none.
    """
    rest = plain(code)[BODY:]
    return not rest or rest == check(code, organisation_key)


def complete(code: str) -> bool:
    """Whether a code has all its characters, and no strange ones."""
    text = plain(code)
    return len(text) in (BODY, BODY + CHECK) and set(text) <= set(ALPHABET)


def to_qr(ticket: Ticket) -> str:
    """A ticket as capital letters and digits: a scanner that types them needs no keyboard layout.

    The names are left out; a checksum says whether everything was typed.
    """
    small = msgspec.structs.replace(ticket, name="", device="")
    raw = msgspec.json.encode(small)
    raw += zlib.crc32(raw).to_bytes(4, "big")
    return _QR + base64.b32encode(raw).decode().rstrip("=")


def from_qr(text: str) -> Ticket:
    """Read what a scanner typed. Raises TicketError."""
    found = "".join(text.split()).upper()
    if not found.startswith(_QR):
        raise TicketError("this is not the label of a feedback terminal")
    body = found[len(_QR) :]
    try:
        raw = base64.b32decode(body + "=" * (-len(body) % 8))
    except ValueError:
        raise TicketError("the label was not read completely") from None
    if len(raw) < 5 or zlib.crc32(raw[:-4]).to_bytes(4, "big") != raw[-4:]:
        raise TicketError("the label was not read completely")
    return read_ticket(raw[:-4])


def read_ticket(raw: bytes) -> Ticket:
    """Read a ticket's JSON, from a label or a stick. Raises TicketError."""
    try:
        ticket = msgspec.json.decode(raw, type=Ticket)
    except wire.UNREADABLE:
        raise TicketError("the enrolment file is damaged") from None
    if not ticket.endpoint or not complete(ticket.code):
        raise TicketError("the enrolment file has no address or no whole code")
    return ticket
