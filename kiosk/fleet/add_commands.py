"""Commands that begin a folder and add to it: init, add-location, add-device, add-devices."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kiosk.fleet import additions, panels, start
from kiosk.fleet.desk import count, dry_option, editing, finish, format_option, root_option
from kiosk.fleet.device_list import DeviceList, rows
from kiosk.fleet.errors import ConfigError, ConfigErrors
from kiosk.fleet.rules import one_of

PANEL_HELP = f"{', '.join(panels.PANELS)}, or px and mm as 1280x800@217x136."


@click.command("init")
@root_option
@click.option("--id", "ident", required=True, help="Short name in small letters, such as varha.")
@click.option("--name", "texts", multiple=True, required=True, help='fi="…"; one per language.')
@click.option("--endpoint", default="", help="The centre's https address; can be written later.")
@click.option("--languages", default="", help="Shown on the screens: fi,sv; else the names'.")
@click.option("--prefix", default="", help="What device ids begin with; else the id.")
@click.option("--municipality-list", default="", help="Salo,Turku: places may lie in no other.")
@dry_option
@format_option
def init_command(  # noqa: PLR0917 - click passes them by name
    root: Path,
    ident: str,
    texts: tuple[str, ...],
    endpoint: str,
    languages: str,
    prefix: str,
    municipality_list: str,
    dry_run: bool,
    form: str,
) -> None:
    """Begin the folder of an organisation.

    Writes organisation.toml with explanations, services.toml, a short survey and the schemas.
    Files that are there are left alone.
    """
    shown = _listed(languages)
    new = start.Beginning(
        ident,
        additions.names(texts, shown or ["fi"]),
        shown,
        endpoint,
        prefix,
        _listed(municipality_list),
    )
    edit = start.plan(root, new)
    told = [f"{root}: {count(len(edit.created), 'file')} for {ident}"]
    if not endpoint:
        told.append("before the first device: write endpoint.url in organisation.toml")
    if not edit.changed:
        told = [f"nothing to do: {root} is the folder of {ident} already"]
    finish(edit, told, dry_run=dry_run, form=form, facts={"id": ident, "root": str(root)})


@click.command("add-location")
@root_option
@click.option("--name", "texts", multiple=True, required=True, help='"…", or fi="…" by language.')
@click.option("--municipality", required=True, help="Municipality the place lies in.")
@click.option("--languages", default="", help="fi,sv: where the screens differ from the rest.")
@click.option(
    "--hours", "spans", multiple=True, help="mon-fri=08:00-16:00; days not named: closed."
)
@click.option("--services", default="", help="a,b: ids from services.toml given there; none: all.")
@click.option("--survey", default="", help="Id of a survey, where it differs from the rest.")
@dry_option
@format_option
def add_location_command(  # noqa: PLR0917 - click passes them by name
    root: Path,
    texts: tuple[str, ...],
    municipality: str,
    languages: str,
    spans: tuple[str, ...],
    services: str,
    survey: str,
    dry_run: bool,
    form: str,
) -> None:
    """Add a place, with the next id.

    A name without a language stands for all of them.
    """
    edit = editing(root)
    wanted = additions.name_languages(edit)
    names = additions.names(texts, wanted)
    try:
        hours = additions.hours(spans)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--hours") from None
    facts: dict[str, Any] = {
        "municipality": municipality,
        "services": _listed(services),
        "languages": _listed(languages),
        "survey": survey,
        "name": names,
        "hours": hours,
    }
    first = next(iter(names.values()))
    twins = additions.find_location(edit, first, municipality)
    if twins:
        ident = twins[0]
        additions.same(edit.tree.locations[ident].data, facts, f'"{first}" ({ident})')
        told = [f"nothing to do: {first}, {municipality}, is there already as {ident}"]
    else:
        ident = additions.next_location(edit)
        additions.add_location(edit, ident, facts)
        told = [f"{ident}  {first}, {municipality}", f"locations/{ident}.toml written"]
        if not all("=" in text for text in texts) and len(set(names.values())) == 1 < len(names):
            told.append(
                f"the same name stands for {', '.join(names)}; another one:"
                f' hymio fleet rename {ident} --undated --name {list(names)[1]}="…"'
            )
    finish(edit, told, dry_run=dry_run, form=form, facts={"id": ident})


@click.command("add-device")
@root_option
@click.option("--location", required=True, help="Id of its place.")
@click.option("--name", required=True, help='Where in the place it stands: "Aula, pääovi".')
@click.option("--panel", default="", help=f"{PANEL_HELP} Else the organisation's.")
@click.option("--id", "ident", default="", help="Its id; else the next one.")
@dry_option
@format_option
def add_device_command(  # noqa: PLR0917 - click passes them by name
    root: Path, location: str, name: str, panel: str, ident: str, dry_run: bool, form: str
) -> None:
    """Add a device, with the next id."""
    edit = editing(root)
    tree = edit.tree
    if location not in tree.locations and f"locations/{location}.toml" not in tree.broken:
        remedy = one_of(location, tree.locations, "add it with add-location")
        raise click.BadParameter(
            f'there is no location "{location}": {remedy}', param_hint="--location"
        )
    try:
        screen = panels.panel(panel) if panel else {}
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--panel") from None
    facts = {"location": location, "name": name, "screen": screen}
    twins = [
        known
        for known, source in tree.devices.items()
        if known == ident
        or (
            not ident
            and known in tree.in_use
            and (source.data.get("location"), source.data.get("name")) == (location, name)
        )
    ]
    if twins:
        ident = twins[0]
        additions.same(tree.devices[ident].data, facts, ident)
        told = [f"nothing to do: {ident} is there already"]
    else:
        ident = ident or additions.next_device(edit)
        text = additions.add_device(edit, ident, location, name, screen)
        told = [ident, *([] if dry_run else [text.rstrip()]), f"devices/{ident}.toml written"]
    finish(edit, told, dry_run=dry_run, form=form, facts={"id": ident})


@click.command("add-devices")
@root_option
@click.option(
    "--csv",
    "file",
    required=True,
    type=click.Path(dir_okay=False, allow_dash=True),
    help="The list, in UTF-8; - reads it from standard input.",
)
@click.option("--create-locations", is_flag=True, help="Add the places that are not there yet.")
@dry_option
@format_option
def add_devices_command(
    root: Path, file: str, create_locations: bool, dry_run: bool, form: str
) -> None:
    """Add all devices of a list, or none when anything in it is wrong.

    Columns: location (an id), or place and municipality (place_sv for its Swedish name); name;
    and if wanted panel and id. Divided by semicolon, comma or tab. Rows whose device is there
    already change nothing.
    """
    edit = editing(root)
    name = "standard input" if file == "-" else file
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{file}: {error.strerror}", param_hint="--csv") from None
    added = DeviceList(edit, name, create_locations=create_locations).plan(rows(raw, name))
    told = [f"location {ident} added" for ident in added.locations]
    told += [f"{ident}  at {place}" for ident, place in added.devices.items()]
    told.append(
        f"{count(len(added.devices), 'device')} and {count(len(added.locations), 'location')}"
        f" added, {len(added.there)} there already"
    )
    facts = {"devices": added.devices, "locations": added.locations, "there": added.there}
    try:
        finish(edit, told, dry_run=dry_run, form=form, facts=facts)
    except ConfigErrors as errors:
        raise _of_the_list(errors, name, added.lines) from None


def _of_the_list(errors: ConfigErrors, name: str, lines: dict[str, int]) -> ConfigErrors:
    """What is wrong in a file that was never written, said of its row in the list."""
    return ConfigErrors(
        ConfigError(name, lines[e.file], e.key, e.what, e.remedy) if e.file in lines else e
        for e in errors.errors
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


COMMANDS: tuple[click.Command, ...] = (
    init_command,
    add_location_command,
    add_device_command,
    add_devices_command,
)
