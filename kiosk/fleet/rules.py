"""Rules about single values: hours, dates, addresses, colours. Each says what is wrong and what
to do, or returns None."""

from __future__ import annotations

import colorsys
import datetime as dt
import difflib
import ipaddress
import re
import typing
import zoneinfo
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from kiosk import pin
from kiosk.fleet.files import Settings

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUND = "#F4F2ED"
ON_ACCENT = "#FFFFFF"
MOST_NAMED = 10
"""Names a remedy lists."""
CONTRAST = 4.5
"""WCAG 2.2 1.4.3 for text."""

_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


class Fault(NamedTuple):
    """What is wrong and what to do."""

    what: str
    remedy: str


def spans(text: str) -> list[tuple[int, int]]:
    """Opening hours of one day as minutes from midnight; `24:00` may end one.

    Raises ValueError with what is wrong.
    """
    found: list[tuple[int, int]] = []
    for part in text.split(",") if text.strip() else []:
        match = _SPAN.fullmatch(part.strip())
        if not match:
            raise ValueError(f'"{part.strip()}" is not like 08:00-16:00')
        h1, m1, h2, m2 = (int(group) for group in match.groups())
        start, end = h1 * 60 + m1, h2 * 60 + m2
        if m1 > 59 or m2 > 59 or start > 24 * 60 or end > 24 * 60:
            raise ValueError(f'"{part.strip()}" is not a time of day')
        if start >= end:
            raise ValueError(f'"{part.strip()}" ends before it begins')
        if found and start < found[-1][1]:
            raise ValueError(f'"{part.strip()}" overlaps or comes before the hours ahead of it')
        found.append((start, end))
    return found


def hours(text: str) -> Fault | None:
    """Opening hours of one day."""
    try:
        spans(text)
    except ValueError as error:
        return Fault(
            str(error),
            'write "08:00-16:00", "08:00-12:00,13:00-16:00" in order, or "" for closed;'
            " what runs past midnight goes on two days",
        )
    return None


def date(text: str) -> Fault | None:
    """A calendar day, or nothing."""
    try:
        if text and dt.date.fromisoformat(text).isoformat() == text:
            return None
    except ValueError:
        pass
    return Fault(f'"{text}" is not a day', 'write it as "2027-02-28"') if text else None


def pin_hash(text: str) -> Fault | None:
    """The stored form of a PIN, or nothing."""
    if not text or pin.usable(text):
        return None
    return Fault("is not the hash of a PIN", "write it with `hymio fleet pin`")


def timezone(name: str) -> Fault | None:
    """An IANA time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return Fault(f'"{name}" is not a time zone', 'write an IANA name such as "Europe/Helsinki"')
    return None


def endpoint(url: str) -> Fault | None:
    """Where a device sends: https outside loopback, nothing after the path."""
    if not url:
        return Fault(
            "is empty: the devices would not know where to send", "give the centre's https address"
        )
    fault = address(url)
    if fault:
        return fault
    parts = urlsplit(url)
    if parts.scheme != "https" and not loopback(parts.hostname or ""):
        return Fault(f'"{url}" is not encrypted', "write https://; http is for this machine alone")
    if parts.query or parts.fragment or parts.username or parts.password:
        return Fault(f'"{url}" has more than an address', "remove user, ? and # from it")
    return None


def address(url: str) -> Fault | None:
    """A web address with scheme and host."""
    remedy = 'write the whole address, such as "https://palaute.example.fi"'
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return Fault(f'"{url}" is not an address: {error}', remedy)
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return Fault(f'"{url}" is not a web address', remedy)
    return None


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def contrast(first: str, second: str) -> float:
    """Contrast of two colours `#RRGGBB` after WCAG 2.2, 1 to 21."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def accent(colour: str) -> Fault | None:
    """The organisation's colour: readable on the ground and under white."""
    reached = _reached(colour)
    if reached >= CONTRAST:
        return None
    return Fault(
        f'"{colour}" has contrast {reached:.2f} where {CONTRAST} is needed'
        f" (on {GROUND} and under {ON_ACCENT})",
        f'the nearest shade that passes is "{darker(colour)}"',
    )


def darker(colour: str) -> str:
    """The same hue, only as much darker as the contrast needs."""
    hue, light, satur = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    for step in range(int(light * 255), -1, -1):
        shade = "#" + "".join(
            f"{round(part * 255):02X}" for part in colorsys.hls_to_rgb(hue, step / 255, satur)
        )
        if _reached(shade) >= CONTRAST:
            return shade
    return "#000000"


def locked(key: str) -> Fault | None:
    """A key of the organisation's `locked` list must be a setting."""
    known: list[str] = []
    for table, fields in _tables(Settings):
        known += [f"{table}{name}" for name in fields]
    if key in known:
        return None
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"write one of: {', '.join(known)}"
    return Fault(f'"{key}" is not a setting', hint)


def _tables(kind: type, base: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every table of settings with its dotted prefix and its keys."""
    hints = typing.get_type_hints(kind)
    yield base, list(hints)
    for name, inner in hints.items():
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from _tables(inner, f"{base}{name}.")


def _reached(colour: str) -> float:
    return min(contrast(colour, GROUND), contrast(colour, ON_ACCENT))


def _parts(colour: str) -> tuple[int, int, int]:
    value = int(colour.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def _luminance(colour: str) -> float:
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def one_of(given: str, known: Iterable[str], otherwise: str) -> str:
    """A remedy: the nearest that exists, or all of them, or how to add one."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, 1)
    if near:
        return f"did you mean {near[0]}? Otherwise {otherwise}"
    more = f" … ({len(names)} in all)" if len(names) > MOST_NAMED else ""
    shown = ", ".join(names[:MOST_NAMED]) + more
    return f"write one of {shown}, or {otherwise}" if names else otherwise


def quoted(names: Iterable[str]) -> str:
    """Names in quotes with commas between."""
    return ", ".join(f'"{name}"' for name in names)
