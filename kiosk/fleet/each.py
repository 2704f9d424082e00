"""What one file alone says about whether it is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kiosk.fleet import dated, rules
from kiosk.fleet.errors import ConfigError
from kiosk.fleet.files import LocationFile, OrganisationFile, ServicesFile, SurveyFile
from kiosk.fleet.lines import Path
from kiosk.fleet.rules import one_of, quoted
from kiosk.fleet.tree import Source
from kiosk.wording import themes, wording
from sync.contract.bundle import LANGUAGES
from sync.contract.records import OTHER

AnySource = Source[Any]
_SIGNS = frozenset("/()[]")
"""Read aloud as they stand they break a sentence."""


def organisation(source: Source[OrganisationFile], names: Sequence[str]) -> Iterator[ConfigError]:
    """organisation.toml; `names` are the languages names must be written in."""
    data = source.data
    yield from _names(source, ("name",), data.get("name", {}), names)
    yield from _languages(source, ("name_languages",), data.get("name_languages", ()))
    if "timezone" in data:
        yield from _rule(source, ("timezone",), rules.timezone(data["timezone"]))
    if "accent" in data:
        yield from _rule(source, ("accent",), rules.accent(data["accent"]))
    for index, key in enumerate(data.get("locked", ())):
        yield from _rule(source, ("locked", index), rules.locked(key))
    yield from _known_languages(source, ("privacy",), data.get("privacy", {}))
    yield from settings(source)


def services(
    source: Source[ServicesFile], names: Sequence[str], today: dt.date
) -> Iterator[ConfigError]:
    """services.toml."""
    groups = source.data.get("groups", {})
    for group, texts in groups.items():
        yield from _names(source, ("groups", group), texts, names)
    seen: dict[str, int] = {}
    for index, entry in enumerate(source.data.get("service", ())):
        here: Path = ("service", index)
        ident = entry["id"]
        if ident in seen:
            line = source.lines["service", seen[ident], "id"]
            yield source.error(
                (*here, "id"),
                f'"{ident}" is already used on line {line}',
                "give one of them another id; ids are never reused",
            )
        elif ident == OTHER:
            yield source.error(
                (*here, "id"), f'"{OTHER}" stands for "other / don\'t know"', "choose another id"
            )
        seen.setdefault(ident, index)
        yield from _names(source, (*here, "name"), entry["name"], names)
        if "short_name" in entry:
            yield from _names(source, (*here, "short_name"), entry["short_name"], names)
        if entry.get("group") and entry["group"] not in groups:
            yield source.error(
                (*here, "group"),
                f'there is no group "{entry["group"]}"',
                one_of(entry["group"], groups, "add it under [groups]"),
            )
        for number, former in enumerate(entry.get("was", ())):
            yield from _known_languages(source, (*here, "was", number, "name"), former["name"])
        yield from dated.service(source, index, source.data["service"], today)


def survey(source: Source[SurveyFile]) -> Iterator[ConfigError]:
    """surveys/<id>.toml."""
    data = source.data
    own: Mapping[str, str] = data.get("own", {})
    bank = themes()
    statements: Sequence[str] = data.get("statements", ())
    for index, ident in enumerate(statements):
        here: Path = ("statements", index)
        if ident not in bank and ident not in own:
            yield source.error(
                here,
                f'there is no statement "{ident}"',
                one_of(ident, [*bank, *own], "add it under [own] and [texts.<language>]"),
            )
        elif ident in statements[:index]:
            yield source.error(here, f'"{ident}" is listed twice', "remove one of them")
    for ident in own:
        if ident in bank:
            yield source.error(("own", ident), "is in the statement bank", "choose another id")
    count = data.get("count", 3)
    if statements and count > len(statements):
        yield source.error(
            ("count",),
            f"{count} statements a visit, but only {len(statements)} are listed",
            f"write {len(statements)}, or list more",
        )
    elif count < len(statements) and data.get("selection", "fixed") == "fixed":
        yield source.error(
            ("selection",),
            f"only the first {count} of {len(statements)} statements are ever asked",
            'write selection = "rotated", or list fewer',
            warning=True,
        )
    if data.get("phone_url"):
        yield from _rule(source, ("phone_url",), rules.address(data["phone_url"]))
    yield from _known_languages(source, ("texts",), data.get("texts", {}))
    yield from _texts(source, own)


def _texts(source: Source[SurveyFile], own: Mapping[str, str]) -> Iterator[ConfigError]:
    """A survey's own wording."""
    known = {*wording("fi"), *(f"statement.{ident}" for ident in own)}
    for language, texts in source.data.get("texts", {}).items():
        for key, text in texts.items():
            here: Path = ("texts", language, key)
            if key.removesuffix(".spoken") not in known:
                remedy = one_of(key, known, "see assets/wording/fi.toml")
                yield source.error(here, "the screen has no such text", remedy)
            elif not text.strip():
                yield source.error(here, "is empty", "write it, or remove it")
            elif _stumbles(key, text) and f"{key}.spoken" not in texts:
                yield source.error(
                    here,
                    "has a sign that does not read well aloud",
                    f'add "{key}.spoken" = "…" as it should be said',
                    warning=True,
                )


def _stumbles(key: str, text: str) -> bool:
    return bool(set(text) & _SIGNS) and not key.endswith(".spoken")


def location(
    source: Source[LocationFile], names: Sequence[str], today: dt.date
) -> Iterator[ConfigError]:
    """locations/<id>.toml."""
    data = source.data
    yield from _names(source, ("name",), data.get("name", {}), names)
    if data.get("timezone"):
        yield from _rule(source, ("timezone",), rules.timezone(data["timezone"]))
    for day, text in data.get("hours", {}).items():
        if day not in rules.DAYS:
            yield source.error(
                ("hours", day), "is not a day", f"write one of {', '.join(rules.DAYS)}"
            )
        else:
            yield from _rule(source, ("hours", day), rules.hours(text))
    was = data.get("was", ())
    yield from dated.history(source, ("was",), was, today)
    for index, former in enumerate(was):
        yield from _known_languages(source, ("was", index, "name"), former.get("name", {}))
    yield from settings(source)


def settings(source: AnySource) -> Iterator[ConfigError]:
    """The layered keys as far as one file alone says whether they are right."""
    data = source.data
    yield from _languages(source, ("languages",), data.get("languages", ()))
    yield from _known_languages(source, ("contact",), data.get("contact", {}))
    yield from _known_languages(source, ("changed",), data.get("changed", {}))
    if "changed_until" in data:
        yield from _rule(source, ("changed_until",), rules.date(data["changed_until"]))
    yield from _rule(source, ("pin_hash",), rules.pin_hash(data.get("pin_hash", "")))
    endpoint = data.get("endpoint", {})
    if "url" in endpoint:
        yield from _rule(source, ("endpoint", "url"), rules.endpoint(endpoint["url"]))
    if endpoint.get("proxy"):
        yield from _rule(source, ("endpoint", "proxy"), rules.address(endpoint["proxy"]))


def _rule(source: AnySource, path: Path, fault: rules.Fault | None) -> Iterator[ConfigError]:
    if fault:
        yield source.error(path, *fault)


def _names(
    source: AnySource, path: Path, texts: Mapping[str, str], names: Sequence[str]
) -> Iterator[ConfigError]:
    """A name must stand in every one of the organisation's `name_languages`."""
    lacking = [language for language in names if not texts.get(language, "").strip()]
    if lacking and texts:
        yield source.error(
            path,
            f"no name in {quoted(lacking)}",
            f"add {', '.join(f'{language} = …' for language in lacking)}, or take"
            f" {quoted(lacking)} out of `name_languages` in organisation.toml",
        )
    elif lacking and path in source.lines:
        yield source.error(path, "is empty", f"add {names[0]} = …")
    yield from _known_languages(source, path, texts)


def _known_languages(
    source: AnySource, path: Path, texts: Mapping[str, object]
) -> Iterator[ConfigError]:
    for language in texts:
        if language not in LANGUAGES:
            yield source.error(
                (*path, language), "is not a language", f"write one of {', '.join(LANGUAGES)}"
            )


def _languages(source: AnySource, path: Path, languages: Sequence[str]) -> Iterator[ConfigError]:
    for index, language in enumerate(languages):
        here = (*path, index)
        if language not in LANGUAGES:
            yield source.error(
                here, f'there is no language "{language}"', f"write one of {', '.join(LANGUAGES)}"
            )
        elif language in languages[:index]:
            yield source.error(here, f'"{language}" is listed twice', "remove one of them")


def service_ids(source: Source[ServicesFile]) -> set[str]:
    """Every id in the file, also of services that are wrong in another way."""
    entries = source.raw.get("service", [])
    listed = entries if isinstance(entries, list) else []
    return {str(entry.get("id")) for entry in listed if isinstance(entry, dict)}
