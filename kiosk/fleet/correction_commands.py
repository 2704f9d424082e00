"""Commands for answers that were given elsewhere than the files said: correct, corrections."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from kiosk.fleet.centre import confirmed, open_admin, yes_option
from kiosk.fleet.desk import (
    at_centre,
    count,
    known_device,
    print_json,
    read_tree,
)
from kiosk.fleet.rules import one_of


@click.command("correct")
@click.option("--device", required=True, help="The terminal that stood elsewhere.")
@click.option("--from", "since", required=True, metavar="TIME", help="First day there, or time.")
@click.option("--to", "until", required=True, metavar="TIME", help="Last day there, or time.")
@click.option("--location", required=True, help="Id of the place where it really stood.")
@click.option("--reason", required=True, help="For the audit log.")
@at_centre
def correct_command(
    *,
    device: str,
    since: str,
    until: str,
    location: str,
    reason: str,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """Have what a terminal gathered for a while count for another place.

    For a terminal that was carried away before IT heard of it. The answers stay as they were given;
    reports count them for the place named, those still to arrive too. TIME is a day (2026-03-02,
    included) or a time with offset (2026-03-02T14:30+02:00). `hymio fleet corrections` lists and
    withdraws.
    """
    tree = read_tree(root)
    known_device(tree, device)
    if location not in tree.locations:
        remedy = one_of(location, tree.locations, "add it first")
        raise click.BadParameter(f"there is no place {location}: {remedy}", param_hint="--location")
    window = (_time(since, "--from"), _time(until, "--to"))
    days = [len(text) == len("2026-03-02") for text in (since, until)]
    if days[0] == days[1] and window[1] < window[0]:
        raise click.BadParameter(f"{until} is before {since}", param_hint="--to")
    made = {"device": device, "from": since, "to": until, "location": location, "reason": reason}
    with open_admin(tree, keys, url) as admin:
        done = admin.correct(made, dry_run=dry_run)
    if form == "json":
        told = {key: done.get(key) for key in ("id", "visits", "answers", "instead_of")}
        print_json({"dry_run": dry_run, **told, **made})
        return
    click.echo(f"{device} from {since} to {until}: {_effect(done, location, dry_run=dry_run)}")
    if number := done.get("id"):
        click.echo(f"correction {number}; back with: hymio fleet corrections --withdraw {number}")


@click.command("corrections")
@click.option("--device", default="", help="Only of this terminal.")
@click.option("--withdraw", type=click.IntRange(min=1), metavar="NUMBER", help="Take one back.")
@yes_option
@at_centre
def corrections_command(
    *,
    device: str,
    withdraw: int | None,
    yes: bool,
    root: Path,
    keys: Path,
    url: str,
    dry_run: bool,
    form: str,
) -> None:
    """List the corrections there are, or take one back.

    A correction taken back stays in the list, with who did it and when.
    """
    tree = read_tree(root)
    with open_admin(tree, keys, url) as admin:
        if withdraw is not None:
            if not dry_run:
                confirmed(f"Take correction {withdraw} back?", yes)
                admin.withdraw_correction(withdraw)
            if form == "json":
                print_json({"dry_run": dry_run, "withdrawn": withdraw})
            else:
                verb = "would be" if dry_run else "is"
                click.echo(f"correction {withdraw} {verb} taken back")
            return
        rows = [row for row in admin.corrections() if not device or row.get("device") == device]
    if form == "json":
        print_json(rows)
        return
    for row in rows:
        click.echo(_line(row))
    if not rows:
        click.echo("no corrections")


def _effect(done: dict[str, Any], location: str, *, dry_run: bool) -> str:
    """What a correction does to what is there already, as a sentence's end."""
    verb = "would count" if dry_run else "count"
    if not done.get("answers"):
        return f"no answers there that counted elsewhere; those still to come {verb} for {location}"
    moved = f"{count(done['visits'], 'visit')}, {count(done['answers'], 'answer')}"
    return f"{moved} {verb} for {location} instead of {' and '.join(done['instead_of'])}"


def _line(row: dict[str, Any]) -> str:
    back = ""
    if row.get("withdrawn_at"):
        back = f"; taken back by {row.get('withdrawn_by')} at {row['withdrawn_at']}"
    return (
        f"{row.get('id')}  {row.get('device')}  {row.get('from')} to {row.get('to')}"
        f"  counts for {row.get('location')}: {row.get('reason')}"
        f" ({row.get('by')} at {row.get('at')}{back})"
    )


def _time(text: str, option: str) -> str:
    """A day or a time with offset, as instants compare; wrong use for anything else."""
    try:
        if len(text) == len("2026-03-02"):
            return dt.date.fromisoformat(text).isoformat()
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter(
            f'"{text}" is neither a day, 2026-03-02, nor a time with offset,'
            " 2026-03-02T14:30+02:00",
            param_hint=option,
        )
    return found.astimezone(dt.UTC).isoformat()


COMMANDS: tuple[click.Command, ...] = (correct_command, corrections_command)
