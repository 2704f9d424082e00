"""Where one lands after signing in: on the page first asked for, and only on one of ours."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

HOME: Final = "/"
LONGEST: Final = 2000
"""Characters of an address that are carried through the sign-in."""
_OURS: Final = re.compile(r"/(devices(/[\w.~%-]+)?)?(\?[\w.~%&=+-]*)?", re.ASCII)
"""The pages, as our own links are written: no host, no file, nothing a browser reads otherwise."""


def sign_in_link(page: str) -> str:
    """The address of the sign-in that leads on to a page."""
    return "/login" if page == HOME else f"/login?next={quote(page, safe='')}"


def landing(wanted: str) -> str:
    """The page to show after the sign-in; the first one where `wanted` is not a page of ours."""
    return wanted if len(wanted) <= LONGEST and _OURS.fullmatch(wanted) else HOME
