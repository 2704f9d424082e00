"""From the files to what one terminal needs to know: the resolved bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kiosk.fleet import rules, validate
from kiosk.fleet.errors import ConfigError, ConfigErrors
from kiosk.fleet.files import LocationFile, OrganisationFile, PerLanguage, ServicesFile, SurveyFile
from kiosk.fleet.offered import given, offered
from kiosk.fleet.tree import Tree
from kiosk.wording import themes, wording
from sync.contract.bundle import (
    Bundle,
    BundleError,
    Location,
    Organisation,
    Service,
    Statement,
    Survey,
    decode,
)


def resolve(root: Path, device_id: str) -> Bundle:
    """The configuration of one device. Raises ConfigErrors with all errors in its files."""
    tree = Tree.load(root)
    device = tree.devices.get(device_id)
    errors = [e for e in validate.problems(tree) if e.severity == "error"]
    if device is not None:
        chain = tree.chain(device)
        errors = [e for e in errors if e.file in chain or not e.line]
    elif not any(e.file == f"devices/{device_id}.toml" for e in errors):
        file = f"devices/{device_id}.toml"
        remedy = rules.one_of(device_id, tree.devices, "add it with `hymio fleet add-device`")
        errors.append(ConfigError(file, 0, "", "there is no such device", remedy))
    if errors:
        raise ConfigErrors(errors)
    return build(tree, device_id)


def load_path(path: Path) -> Bundle:
    """The bundle behind a device's TOML inside a device-config folder, or in a plain JSON file.

    Raises ConfigErrors.
    """
    if path.suffix == ".toml":
        return resolve(path.resolve().parent.parent, path.stem)
    try:
        return decode(path.read_bytes())
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
    except BundleError as error:
        what = str(error)
    raise ConfigErrors([ConfigError(str(path), 0, "", what, "give a device's TOML or a bundle")])


def build(tree: Tree, device_id: str) -> Bundle:
    """The bundle of a device whose files are free of errors."""
    source = tree.devices[device_id]
    merged = tree.merged(source)
    settings = merged.data
    assert tree.organisation and tree.services and source.value  # noqa: S101 - no errors
    organisation = tree.organisation.value
    place = tree.locations[source.value.location].value
    survey = tree.surveys[settings["survey"]].value
    assert organisation and place and survey and tree.services.value  # noqa: S101 - no errors
    languages = tuple(settings["languages"])
    here = given(place, tree.services.value, tree.today)
    return Bundle(
        device=device_id,
        name=source.value.name,
        organisation=_organisation(organisation, settings, languages),
        location=_location(place, organisation, languages, here),
        languages=languages,
        survey=_survey(survey),
        services=_services(tree, here if place.services else None, languages),
        texts=texts(languages, survey, tree.services.value),
        next_keys=next_keys(tree.root),
        key_generation=source.value.key_generation,
        wipe=source.value.wipe,
        **{
            name: msgspec.convert(settings[name], field.type)
            for field in msgspec.structs.fields(Bundle)
            for name in [field.name]
            if name in ("screen", "touch", "timing", "speech", "endpoint", "storage")
            or name in ("pin_hash", "leave_allowed")
        },
    )


def filled(names: PerLanguage, languages: Iterable[str]) -> PerLanguage:
    """A name in every language: its own, else the English one, else the first there is."""
    if not names:
        return {}
    spare = names.get("en") or next(iter(names.values()))
    return {language: names.get(language) or spare for language in languages}


def texts(
    languages: Iterable[str], survey: SurveyFile, services: ServicesFile
) -> dict[str, PerLanguage]:
    """Everything the screen says, complete in every language: the program's wording with the
    survey's own laid over it, and the names of the groups of services as `group.<id>`."""
    found = {}
    for language in languages:
        # An English sentence read out by an Estonian voice helps nobody.
        spare = {k: v for k, v in wording("en").items() if not k.endswith(".spoken")}
        own = survey.texts.get(language, {})
        mine = spare | dict(wording(language)) | own
        for key in own:
            # What is said aloud must not be another sentence than the one written anew.
            if f"{key}.spoken" not in own:
                mine.pop(f"{key}.spoken", None)
        used = {f"statement.{ident}{ear}" for ident in survey.statements for ear in ("", ".spoken")}
        found[language] = {
            key: text
            for key, text in mine.items()
            if not key.startswith("statement.") or key in used
        }
        for group, names in services.groups.items():
            found[language][f"group.{group}"] = filled(names, [language])[language]
    return found


def next_keys(root: Path) -> tuple[str, ...]:
    """The organisation's following public key, where keys/next.pub has one."""
    path = root / "keys" / "next.pub"
    return (path.read_text().strip(),) if path.is_file() else ()


def _organisation(
    file: OrganisationFile, settings: dict[str, PerLanguage], languages: tuple[str, ...]
) -> Organisation:
    return Organisation(
        id=file.id,
        name=filled(file.name, languages),
        accent=file.accent,
        contact=filled(settings.get("contact", {}), languages),
        privacy=filled(file.privacy, languages),
        privacy_version=file.privacy_version,
        changed=filled(settings.get("changed", {}), languages),
        changed_until=str(settings["changed_until"]),
    )


def _location(
    file: LocationFile,
    organisation: OrganisationFile,
    languages: tuple[str, ...],
    services: tuple[str, ...],
) -> Location:
    return Location(
        id=file.id,
        name=filled(file.name, languages),
        municipality=file.municipality,
        timezone=file.timezone or organisation.timezone,
        services=services,
        hours={day: file.hours.get(day, "") for day in rules.DAYS} if file.hours else {},
    )


def _survey(file: SurveyFile) -> Survey:
    bank = themes()
    return Survey(
        id=file.id,
        version=file.version,
        statements=tuple(
            Statement(id=ident, theme=file.own.get(ident) or bank[ident])
            for ident in file.statements
        ),
        count=file.count,
        selection=file.selection,
        scale=file.scale,
        satisfied=file.satisfied,
        ask_service=file.ask_service,
        ask_respondent=file.ask_respondent,
        ask_comment=file.ask_comment,
        phone_url=file.phone_url,
    )


def _services(
    tree: Tree, ids: tuple[str, ...] | None, languages: tuple[str, ...]
) -> tuple[Service, ...]:
    """What is offered today, of `ids` alone where a place names its services."""
    assert tree.services and tree.services.value  # noqa: S101 - no errors
    return tuple(
        Service(
            id=entry.id,
            name=filled(entry.name, languages),
            short_name=filled(entry.short_name, languages),
            group=entry.group,
        )
        for entry in offered(tree.services.value, tree.today)
        if ids is None or entry.id in ids
    )
