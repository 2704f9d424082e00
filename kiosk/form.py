"""Address and code as somebody types them on the screen or on a keyboard."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from sync.contract import code as codes

SCHEME: Final = "https://"
MOST_ADDRESS: Final = 200
BACKSPACE: Final = "⌫"
_ADDRESS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-:/_")
_HOST: Final = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    r"(?::[0-9]{1,5})?(?:/[a-z0-9._/-]*)?"
)


class Form:
    """What was typed so far."""

    def __init__(self, endpoint: str = "", code: str = "") -> None:
        self.address = endpoint.removeprefix(SCHEME)
        """Without `https://`, which need not be typed; another scheme may be."""
        self.code = codes.plain(code)
        self.strange = ""
        """The last character that no code has."""

    def fill(self, ticket: codes.Ticket) -> None:
        """Take over what a label or a stick says."""
        self.address = ticket.endpoint.removeprefix(SCHEME)
        self.code = codes.plain(ticket.code)

    def key(self, field: Literal["address", "code"], character: str) -> None:
        """One key, on the screen or a keyboard; what a field cannot hold is left out."""
        self.strange = ""
        if character == BACKSPACE:
            setattr(self, field, getattr(self, field)[:-1])
        elif field == "address":
            if character.lower() in _ADDRESS and len(self.address) < MOST_ADDRESS:
                self.address += character.lower()
        elif character.upper() in codes.ALPHABET:
            if len(self.code) < codes.BODY + codes.CHECK:
                self.code += character.upper()
        elif character.isalnum():
            self.strange = character.upper()

    @property
    def endpoint(self) -> str:
        """The whole address."""
        found = self.address.strip("/ ")
        return found if not found or "://" in found else SCHEME + found

    @property
    def address_complete(self) -> bool:
        """Whether the address can be one."""
        return _HOST.fullmatch(self.endpoint) is not None

    @property
    def code_complete(self) -> bool:
        """Whether the code has all its characters."""
        return codes.complete(self.code)

    def wish(self, fingerprint: str = "", proxy: str = "") -> dict[str, Any]:
        """What the sender is to redeem; nobody has said yet that this is the right place."""
        found: dict[str, Any] = {
            "endpoint": self.endpoint,
            "code": codes.grouped(self.code),
            "confirmed": False,
        }
        for name, value in (("fingerprint", fingerprint), ("proxy", proxy)):
            if value:
                found[name] = value
        return found
