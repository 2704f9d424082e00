"""What the files mean, taken together: every error at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kiosk.fleet import dated, each, rules
from kiosk.fleet.errors import ConfigError, ConfigErrors
from kiosk.fleet.files import DeviceFile, LocationFile, SurveyFile
from kiosk.fleet.layers import DEFAULTS, Merged, merge
from kiosk.fleet.lines import dotted
from kiosk.fleet.offered import given
from kiosk.fleet.rules import one_of
from kiosk.fleet.tree import Source, Tree
from kiosk.wording import themes, wording
from sync.contract.bundle import LANGUAGES, BundleError, read_key

FINISHED = ("fi", "sv", "en")
"""Languages in which a text the program lacks is an error; in the others it is a warning and the
English text is shown."""
SKEW = 0.05
"""How far from square a pixel may be before the millimetres must be wrong."""


def problems(tree: Tree) -> list[ConfigError]:
    """Errors and warnings of the whole folder, sorted by file and line."""
    found = list(tree.errors)
    names = _name_languages(tree)
    if tree.organisation is not None:
        found += each.organisation(tree.organisation, names)
    if tree.services is not None:
        found += each.services(tree.services, names, tree.today)
    for survey in tree.surveys.values():
        found += each.survey(survey)
    for place in tree.locations.values():
        found += each.location(place, names, tree.today)
        found += _place(tree, place)
    for device in tree.devices.values():
        found += _device(tree, device)
    found += _surveys(tree)
    found += _keys(tree)
    return sorted(set(found))


def refuse(tree: Tree, devices: Iterable[str] | None = None) -> None:
    """Raises ConfigErrors with what is wrong in the files behind `devices`; else behind all."""
    named = tree.in_use if devices is None else devices
    # By name too: a file with a syntax error is no device.
    files = {f"devices/{ident}.toml" for ident in named}
    for ident in named:
        if ident in tree.devices:
            files |= tree.chain(tree.devices[ident])
    wrong = [
        error
        for error in problems(tree)
        if error.severity == "error"
        and (
            error.file in files
            or not error.line
            or (devices is None and error.file.startswith("devices/"))
        )
    ]
    if wrong:
        raise ConfigErrors(wrong)


def _name_languages(tree: Tree) -> Sequence[str]:
    data = tree.organisation.data if tree.organisation else {}
    names: Sequence[str] = data.get("name_languages", FINISHED)
    return [language for language in names if language in LANGUAGES]


def _place(tree: Tree, source: Source[LocationFile]) -> Iterator[ConfigError]:
    data = source.data
    if tree.services is not None:
        known = each.service_ids(tree.services)
        for index, ident in enumerate(data.get("services", ())):
            if ident not in known:
                yield source.error(
                    ("services", index),
                    f'there is no service "{ident}"',
                    one_of(ident, known, "add it to services.toml"),
                )
            elif ident in data["services"][:index]:
                yield source.error(
                    ("services", index), f'"{ident}" is listed twice', "remove one of them"
                )
        yield from _offered_here(tree, source)
    organisation = tree.organisation
    allowed = organisation.data.get("municipalities", ()) if organisation else ()
    if allowed and data.get("municipality", allowed[0]) not in allowed:
        yield source.error(
            ("municipality",),
            f'there is no municipality "{data["municipality"]}"',
            one_of(
                data["municipality"], allowed, "add it to `municipalities` in organisation.toml"
            ),
        )
    # A place without devices has locked keys too.
    if organisation is not None:
        locked = organisation.data.get("locked", ())
        base = organisation.layer("organisation", bound=False)
        yield from merge([DEFAULTS, base, source.layer("location")], locked).errors


def _offered_here(tree: Tree, source: Source[LocationFile]) -> Iterator[ConfigError]:
    """Whether a place that names its services has any left today."""
    file = tree.services.value if tree.services else None
    place = source.value
    if file and place and place.services and not given(place, file, tree.today):
        yield source.error(
            ("services",),
            "none of them is offered today: answers here belong to no service",
            "list services that are offered",
            warning=True,
        )


def _device(tree: Tree, source: Source[DeviceFile]) -> Iterator[ConfigError]:
    yield from each.settings(source)
    yield from _moved(tree, source)
    yield from dated.retired(source, tree.today)
    ident = source.data.get("location")
    place = tree.locations.get(str(ident))
    if ident is not None and place is None and f"locations/{ident}.toml" not in tree.broken:
        yield source.error(
            ("location",),
            f'there is no location "{ident}"',
            one_of(str(ident), tree.locations, f"add locations/{ident}.toml"),
        )
    merged = tree.merged(source)
    yield from merged.errors
    yield from _screen(merged, source)
    if tree.organisation is None:
        return  # nothing below can be judged without it, and its absence is said already
    if not merged.data["endpoint"]["url"] and not merged.origin("endpoint", "url").line:
        fault = rules.endpoint("")
        if fault:
            yield tree.organisation.error(("endpoint", "url"), "is missing", fault.remedy)
    yield from _asked(tree, merged, place)
    yield from _translations(tree, merged)


def _moved(tree: Tree, source: Source[DeviceFile]) -> Iterator[ConfigError]:
    """Where a device stood before. A place that is gone may still be named there."""
    was = source.data.get("was", ())
    yield from dated.history(source, ("was",), was, tree.today)
    for index, former in enumerate(was):
        place = former.get("location", "")
        if place and place not in tree.locations and f"locations/{place}.toml" not in tree.broken:
            yield source.error(
                ("was", index, "location"),
                f'there is no location "{place}" any more',
                one_of(place, tree.locations, "keep the file of a place that was left"),
                warning=True,
            )


def _asked(tree: Tree, merged: Merged, place: Source[LocationFile] | None) -> Iterator[ConfigError]:
    ident = merged.data["survey"]
    if not ident:
        assert tree.organisation  # noqa: S101 - asked before
        yield tree.organisation.error(
            ("survey",), "is missing", one_of("", tree.surveys, "add a file in surveys/")
        )
        return
    survey = tree.surveys.get(ident)
    if survey is None:
        if f"surveys/{ident}.toml" not in tree.broken:
            yield _at(merged, ("survey",), *_no_survey(tree, ident))
        return
    if survey.data.get("ask_service") and tree.services is not None:
        given = place.data.get("services", ()) if place else ()
        if place is not None and len(given) == 1:
            yield place.error(
                ("services",),
                f'one service, and survey "{ident}" asks which one it was',
                "give the place a survey without ask_service, or list its other services",
                warning=True,
            )
        elif not each.service_ids(tree.services):
            yield survey.error(
                ("ask_service",), "services.toml lists none", "add services, or write false"
            )


def _surveys(tree: Tree) -> Iterator[ConfigError]:
    """A survey that is none is wrong even where no device stands yet."""
    for source in (tree.organisation, *tree.locations.values()):
        ident = source.data.get("survey") if source else ""
        there = ident in tree.surveys or f"surveys/{ident}.toml" in tree.broken
        if source and ident and not there:
            yield source.error(("survey",), *_no_survey(tree, ident))


def _no_survey(tree: Tree, ident: str) -> rules.Fault:
    remedy = one_of(ident, tree.surveys, f"add surveys/{ident}.toml")
    return rules.Fault(f'there is no survey "{ident}"', remedy)


def _screen(merged: Merged, source: Source[DeviceFile]) -> Iterator[ConfigError]:
    screen = merged.data["screen"]
    # A value of the wrong shape has been left out: what remains says nothing about the panel.
    if not screen["height_mm"] or source.raw.get("screen") != source.data.get("screen"):
        return
    across = screen["width_mm"] / screen["width_px"]
    down = screen["height_mm"] / screen["height_px"]
    if abs(across / down - 1) > SKEW:
        origin = merged.origin("screen", "width_mm")
        yield ConfigError(
            origin.file or source.file,
            origin.line or 1,
            "screen.width_mm",
            f"{screen['width_mm']:g} × {screen['height_mm']:g} mm does not fit"
            f" {screen['width_px']} × {screen['height_px']} px: the pixels would not be square",
            "measure the lit area; in portrait the width is the shorter side",
        )


def _translations(tree: Tree, merged: Merged) -> Iterator[ConfigError]:
    """Every text a device shows must be there in every language it shows."""
    languages = [language for language in merged.data["languages"] if language in LANGUAGES]
    organisation = tree.organisation
    assert organisation  # noqa: S101 - asked before
    if not merged.data.get("contact"):
        yield organisation.error(
            ("contact",),
            "is missing: who wants a reply is told to ask the staff",
            "add [contact] with the feedback office in every language",
            warning=True,
        )
    for language in languages:
        shown = {
            "privacy": organisation.data.get("privacy"),
            "contact": merged.data.get("contact"),
            "changed": merged.data.get("changed"),
        }
        for key, texts in shown.items():
            # With no text at all the screen says something of its own, or nothing.
            if texts and not texts.get(language, "").strip():
                what, remedy = (
                    f'nothing in "{language}", which devices show',
                    f'add {language} = "…", or take "{language}" out of `languages`',
                )
                if key == "privacy" or not merged.origin(key).line:
                    yield organisation.error((key,), what, remedy)
                else:
                    yield _at(merged, (key,), what, remedy)
    survey = tree.surveys.get(merged.data["survey"])
    statements = survey.data.get("statements", ()) if survey else ()
    yield from _own_statements(survey, languages)
    needed = {k for k in wording("fi") if not k.endswith((".spoken", ".present"))}
    needed -= {f"statement.{ident}" for ident in themes() if ident not in statements}
    for language in languages:
        mine = {
            *wording(language),
            *(survey.data.get("texts", {}).get(language, {}) if survey else ()),
        }
        lacking = sorted(needed - mine)
        if lacking:
            error = _at(
                merged,
                ("languages",),
                f'the program has no "{language}" wording for {", ".join(lacking)}',
                f"write it under [texts.{language}] of the survey; English is shown meanwhile",
                warning=language not in FINISHED,
            )
            yield error


def _own_statements(
    survey: Source[SurveyFile] | None, languages: Sequence[str]
) -> Iterator[ConfigError]:
    if survey is None:
        return
    texts = survey.data.get("texts", {})
    for ident in survey.data.get("own", {}):
        for language in languages:
            if f"statement.{ident}" not in texts.get(language, {}):
                yield survey.error(
                    ("own", ident),
                    f'nothing in "{language}", which devices show',
                    f'add "statement.{ident}" = "…" under [texts.{language}]',
                )


def _keys(tree: Tree) -> Iterator[ConfigError]:
    folder = tree.root / "keys"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        file = f"keys/{path.name}"
        text = path.read_bytes()[:10_000].decode(errors="replace") if path.is_file() else ""
        if "PRIVATE KEY" in text:
            yield ConfigError(
                file,
                1,
                "",
                "is a private key",
                "move it out of device-config/ and make a new pair: files here are copied",
            )
        elif path.suffix == ".pub":
            try:
                read_key(text.strip())
            except BundleError as error:
                yield ConfigError(file, 1, "", str(error), "write it with `hymio fleet keygen`")


def _at(
    merged: Merged, path: tuple[str, ...], what: str, remedy: str, *, warning: bool = False
) -> ConfigError:
    """An error at the place the value that holds stands."""
    origin = merged.origin(*path)
    return ConfigError(
        origin.file or "organisation.toml",
        origin.line or 1,
        dotted(path),
        what,
        remedy,
        "warning" if warning else "error",
    )
