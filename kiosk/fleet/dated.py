"""Dated facts: what was called or placed otherwise until a day, and services that begin, end and
merge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kiosk.fleet import rules
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.lines import Path
from kiosk.fleet.tree import Source

Facts = Mapping[str, Any]


def history(
    source: Source[Any], base: Path, entries: Sequence[Facts], today: dt.date
) -> Iterator[ConfigError]:
    """The [[was]] entries of one subject: real days, oldest first, none still to come."""
    before = ""
    for index, entry in enumerate(entries):
        here = (*base, index)
        until = entry["until"]
        fault = rules.date(until)
        if fault:
            yield source.error((*here, "until"), *fault)
            continue
        if until > today.isoformat():
            yield source.error(
                (*here, "until"),
                f'"{until}" is still to come: what held until then still holds',
                "make the change when its day has come",
            )
        elif until <= before:
            yield source.error(
                (*here, "until"),
                f'"{until}" does not come after "{before}" in the entry above',
                "list them oldest first, with one entry for each day",
            )
        before = max(before, until)
        if not any(value for key, value in entry.items() if key != "until"):
            yield source.error(here, "says nothing", "write what was different, or remove it")


def service(
    source: Source[Any], index: int, entries: Sequence[Facts], today: dt.date
) -> Iterator[ConfigError]:
    """The days of one service and what it was merged into."""
    entry = entries[index]
    here: Path = ("service", index)
    since, until = entry.get("from", ""), entry.get("until", "")
    faults = [(key, rules.date(entry.get(key, ""))) for key in ("from", "until")]
    for key, fault in faults:
        if fault:
            yield source.error((*here, key), *fault)
    if not any(fault for _, fault in faults):
        if since and until and until < since:
            yield source.error(
                (*here, "until"), f'"{until}" comes before `from`', "write a later day"
            )
        for number, former in enumerate(entry.get("was", ())):
            if since and former["until"] < since:
                yield source.error(
                    (*here, "was", number, "until"),
                    f'"{former["until"]}" is before the service began, "{since}"',
                    "write a later day, or an earlier `from`",
                )
    yield from history(source, (*here, "was"), entry.get("was", ()), today)
    if entry.get("merged_into"):
        yield from _merged(source, index, entries)


def _merged(source: Source[Any], index: int, entries: Sequence[Facts]) -> Iterator[ConfigError]:
    entry = entries[index]
    key: Path = ("service", index, "merged_into")
    by_id = {other["id"]: other for other in entries}
    ident, into = entry["id"], entry["merged_into"]
    if into == ident:
        yield source.error(key, "is the service itself", "name the service that goes on")
    elif into not in by_id:
        known = set(by_id) - {ident}
        yield source.error(
            key, f'there is no service "{into}"', rules.one_of(into, known, "add it here")
        )
    elif circle := _circle(ident, by_id):
        yield source.error(
            key, f"goes in a circle: {' → '.join(circle)}", "one of them must go on by itself"
        )
    elif not entry.get("until"):
        yield source.error(
            key, "has no last day", 'add until = "…", the last day under the old name'
        )
    elif not by_id[into].get("merged_into") and "" < by_id[into].get("until", "") <= entry["until"]:
        yield source.error(
            key,
            f'"{into}" ends on {by_id[into]["until"]}, before this one could go into it',
            "name a service that goes on",
        )


def _circle(ident: str, by_id: Mapping[str, Facts]) -> list[str]:
    """The ids from `ident` on, where merging leads back to it; else nothing."""
    seen = [ident]
    while (into := by_id.get(seen[-1], {}).get("merged_into", "")) and into not in seen:
        seen.append(into)
    return [*seen, ident] if into == ident else []


def retired(source: Source[Any], today: dt.date) -> Iterator[ConfigError]:
    """The day a device went out of use."""
    day = str(source.data.get("retired", ""))
    if fault := rules.date(day):
        yield source.error(("retired",), *fault)
    elif day > today.isoformat():
        yield source.error(
            ("retired",), f"{day} is still to come", "write it when the day has come"
        )
