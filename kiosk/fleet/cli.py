"""`hymio fleet`: IT's work on device-config/."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from kiosk.fleet import enrol as enrolment
from kiosk.fleet import keys as keyfiles
from kiosk.fleet import publish as publishing
from kiosk.fleet import rules, schema, validate
from kiosk.fleet.admin import Admin
from kiosk.fleet.errors import (
    AdminError,
    ConfigErrors,
    FleetError,
    KeyFileError,
    UnreachableError,
)
from kiosk.fleet.explain import explain
from kiosk.fleet.resolve import known, resolve
from kiosk.fleet.status import table as status_table
from kiosk.fleet.tree import Tree
from sync.contract.bundle import LANGUAGES, fingerprint, key_text

DOES_NOT_HOLD, WRONG_USE, CANNOT_REACH = 1, 2, 3
MODES = ("larger", "dark", "low")

Command = Callable[..., None]

_root = click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("device-config"),
    show_default=True,
    help="The configuration folder.",
)
_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_keys = click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="HYMIO_KEYS",
    default=keyfiles.default_folder,
    show_default="~/.config/hymio/keys",
    help="Where the private keys lie; HYMIO_KEYS sets it too.",
)
_url = click.option(
    "--url",
    default="",
    help="The centre's address; by default `endpoint.url` of organisation.toml.",
)
_dry = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")


class _Group(click.Group):
    """Turns what can go wrong into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigErrors as error:
            click.echo(str(error), err=True)
            ctx.exit(DOES_NOT_HOLD)
        except FleetError as error:
            click.echo(f"hymio: {error}", err=True)
            ctx.exit(_exit_code(error))


def _exit_code(error: FleetError) -> int:
    if isinstance(error, UnreachableError):
        return CANNOT_REACH
    return DOES_NOT_HOLD if isinstance(error, AdminError) else WRONG_USE


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def fleet() -> None:
    """IT's work on device-config/: check, look, publish, enrol.

    Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use, 3 cannot reach something.
    """


@fleet.command("validate")
@_root
@_format
def validate_command(root: Path, form: str) -> None:
    """Check every file: all errors at once, each with file, line, key and what to do."""
    tree = _tree(root)
    found = validate.problems(tree)
    errors = [error for error in found if error.severity == "error"]
    warnings = [error for error in found if error.severity == "warning"]
    if form == "json":
        _json(
            {
                "devices": len(tree.devices),
                "locations": len(tree.locations),
                "errors": [error.as_dict() for error in errors],
                "warnings": [error.as_dict() for error in warnings],
            }
        )
    else:
        for error in found:
            click.echo(error.entry())
        click.echo(
            ", ".join(
                [
                    _count(len(tree.devices), "device"),
                    _count(len(tree.locations), "location"),
                    _count(len(errors), "error"),
                    *([_count(len(warnings), "warning")] if warnings else []),
                ]
            )
        )
    if errors:
        sys.exit(DOES_NOT_HOLD)


@fleet.command("show")
@click.argument("device")
@_root
@click.option("--explain", "explained", is_flag=True, help="Name the file and line of each value.")
@_format
def show_command(device: str, root: Path, explained: bool, form: str) -> None:
    """Show what holds on DEVICE; --explain says why."""
    tree = _tree(root)
    _known_device(tree, device)
    bundle = resolve(root, device)
    values = explain(tree, device)
    if form == "json":
        _json([v.as_dict() for v in values] if explained else msgspec.to_builtins(bundle))
        return
    width = max(len(value.key) for value in values)
    for value in values:
        text = json.dumps(value.value, ensure_ascii=False)
        line = f"{value.key:{width}} = {text if len(text) <= 60 else text[:59] + '…'}"
        if explained:
            line += f"  ({value.origin}" + "".join(
                f"; instead of {json.dumps(o.value, ensure_ascii=False)} in {o}"
                for o in value.replaced
            )
            line += ")"
        click.echo(line)


@fleet.command("preview")
@click.argument("device")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder."
)
@click.option("--language", "languages", multiple=True, type=click.Choice(LANGUAGES))
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="MODE[,MODE]",
    help=f"Draw it in these modes too: {', '.join(MODES)}.",
)
@_root
def preview_command(
    device: str, out: Path, languages: tuple[str, ...], modes: tuple[str, ...], root: Path
) -> None:
    """Draw every screen of DEVICE in every language as PNG, and screens.json with every box.

    Ends with 1 when something does not fit on the device's panel, and says what.
    """
    _known_device(_tree(root), device)
    bundle = resolve(root, device)
    wanted = [frozenset[str](), *(frozenset(mode.split(",")) for mode in modes)]
    strange = frozenset[str]().union(*wanted) - set(MODES)
    if strange:
        raise click.BadParameter(f"no mode {', '.join(strange)}", param_hint="--mode")
    # Only now: everything else at IT's desk works without what draws.
    preview: Any = importlib.import_module("kiosk.ui.preview")
    try:
        screens = preview.render(bundle, out, languages, wanted)
    except OSError as error:
        raise click.BadParameter(
            f"{error.filename}: {error.strerror}", param_hint="--out"
        ) from None
    unfit = [screen for screen in screens if screen["problems"]]
    for screen in unfit:
        click.echo(f"{screen['file']}: {'; '.join(screen['problems'])}")
    click.echo(
        f"{device}: {_count(len(screens), 'picture')} and screens.json in {out},"
        f" {len(unfit)} that do not fit"
    )
    if unfit:
        sys.exit(DOES_NOT_HOLD)


@fleet.command("keygen")
@_keys
@click.option(
    "--only",
    type=click.Choice([keyfiles.ORGANISATION, keyfiles.OPERATOR]),
    help="Make one of the two; a second administrator needs an operator key alone.",
)
@_dry
@_format
def keygen_command(keys: Path, only: str | None, dry_run: bool, form: str) -> None:
    """Make the organisation's key, which signs configurations, and your own operator key.

    Existing keys are left alone. Keep a copy of organisation.key in a safe: devices trust nothing
    else.
    """
    made = {}
    for name in [only] if only else [keyfiles.ORGANISATION, keyfiles.OPERATOR]:
        new = keyfiles.make(keys, name, dry_run=dry_run)
        public = "" if dry_run and new else key_text(keyfiles.read(keys, name).public_key())
        made[name] = {"file": str(keys / f"{name}.key"), "new": new, "public": public}
    if form == "json":
        _json(made)
        return
    for name, row in made.items():
        verb = ("would be made" if dry_run else "made") if row["new"] else "was there already"
        click.echo(f"{name}: {row['file']} {verb}")
        if row["public"]:
            click.echo(f"  public key   {row['public']}")
            click.echo(f"  fingerprint  {fingerprint(str(row['public']))}")
    if keyfiles.OPERATOR in made and made[keyfiles.OPERATOR]["public"]:
        click.echo("register the operator key at the centre:")
        click.echo(
            "  hymio collector add-operator --database URL --name YOU"
            f" --key {made[keyfiles.OPERATOR]['public']}"
        )


@fleet.command("publish")
@click.argument("devices", nargs=-1)
@_root
@_keys
@_url
@_dry
@_format
def publish_command(  # noqa: PLR0917 - click passes them by name
    devices: tuple[str, ...], root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """Sign the configuration of DEVICES (all, when none is named) and upload it to the centre.

    Nothing is uploaded while any file has an error. Each device gets the version after the
    highest the centre knows.
    """
    _tree(root)
    tree = publishing.sound_tree(root)
    for device in devices:
        _known_device(tree, device)
    found = publishing.bundles(tree, devices)
    signing = keyfiles.read(keys, keyfiles.ORGANISATION)
    with _admin(tree, keys, url) as admin:
        if dry_run:
            versions = admin.organisation().get("versions", {})
            published = {b.device: versions.get(b.device, 0) + 1 for b in found}
        else:
            with _progress(len(found)) as step:
                published = publishing.publish(tree, found, admin, signing, done=step)
        where = admin.url
    if form == "json":
        _json({"centre": where, "dry_run": dry_run, "versions": published})
        return
    verb = "would be published" if dry_run else "published"
    for device, version in published.items():
        click.echo(f"{device}: configuration {version} {verb}")
    click.echo(f"{_count(len(published), 'device')} {verb} at {where}")


@fleet.command("enrol")
@click.argument("device")
@click.option("--valid", default="72h", show_default=True, help="How long: 45m, 72h, 30d.")
@_root
@_keys
@_url
@_dry
@_format
def enrol_command(  # noqa: PLR0917 - click passes them by name
    device: str, valid: str, root: Path, keys: Path, url: str, dry_run: bool, form: str
) -> None:
    """Make a one-time code with which DEVICE enrols.

    The code is made here; the centre learns only its hash. A new code ends the device's earlier
    one.
    """
    try:
        span = enrolment.lifetime(valid)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--valid") from None
    tree = _tree(root)
    _known_device(tree, device)
    resolve(root, device)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    with _admin(tree, keys, url) as admin:
        trusted = str(admin.organisation().get("key", ""))
        _trusted_here(tree, keys, trusted)
        if dry_run:
            click.echo(f"{device}: would get a code valid until {_local(now + span)}", err=True)
            return
        made = enrolment.enrol(device, admin, valid=span, now=now)
        where = admin.url
    if form == "json":
        _json(
            {
                "device": device,
                "code": made.code,
                "expires_at": made.expires_at.isoformat(),
                "endpoint": where,
                "organisation_key": trusted,
                "fingerprint": fingerprint(trusted) if trusted else "",
            }
        )
        return
    click.echo(made.code)
    click.echo(f"  device       {device}")
    click.echo(f"  endpoint     {where}")
    click.echo(f"  valid until  {_local(made.expires_at)}")
    if trusted:
        click.echo(f"  fingerprint  {fingerprint(trusted)}  (the device shows the same)")


@fleet.command("status")
@click.argument("devices", nargs=-1)
@_root
@_keys
@_url
@_format
def status_command(devices: tuple[str, ...], root: Path, keys: Path, url: str, form: str) -> None:
    """What the centre knows of DEVICES (all, when none is named)."""
    tree = _tree(root)
    with _admin(tree, keys, url) as admin:
        found = admin.devices()
    lacking = set(devices) - {str(row.get("id")) for row in found}
    if lacking:
        raise FleetError(f"the centre does not know {', '.join(sorted(lacking))}: publish first")
    rows = [row for row in found if not devices or row.get("id") in devices]
    if form == "json":
        _json(rows)
    else:
        click.echo(status_table(rows, dt.datetime.now(dt.UTC)))


@fleet.command("schema")
@_root
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not current.")
def schema_command(root: Path, check: bool) -> None:
    """Write the JSON Schemas that editors complete and check the files with."""
    _tree(root)
    stale = schema.write(root / "schema", check=check)
    for path in stale:
        click.echo(f"{path} {'is not current' if check else 'written'}")
    if not stale:
        click.echo("all schemas are current")
    if check and stale:
        sys.exit(DOES_NOT_HOLD)


# --- helpers --------------------------------------------------------------------------------------


def _tree(root: Path) -> Tree:
    if not root.is_dir():
        raise click.BadParameter(
            f"there is no folder {root} here; give one with --root", param_hint="--root"
        )
    return Tree.load(root)


def _known_device(tree: Tree, device: str) -> None:
    if device not in tree.devices and f"devices/{device}.toml" not in tree.broken:
        raise click.BadParameter(f"there is no device {device}; {known(tree)}", param_hint="DEVICE")


def _admin(tree: Tree, keys: Path, url: str) -> Admin:
    data = tree.organisation.data if tree.organisation else {}
    settings = data.get("endpoint", {})
    where = url or settings.get("url", "")
    fault = rules.endpoint(where)
    if fault:
        raise click.BadParameter(f"{fault.what}; {fault.remedy}", param_hint="--url")
    return Admin(where, keyfiles.read(keys, keyfiles.OPERATOR), proxy=settings.get("proxy", ""))


def _trusted_here(tree: Tree, keys: Path, trusted: str) -> None:
    """The fingerprint on a label must be our organisation's, whatever the endpoint says."""
    for path in (tree.root / "keys" / "organisation.pub", keys / "organisation.pub"):
        if path.is_file():
            ours = keyfiles.read_public(path)
            if trusted and trusted != ours:
                raise KeyFileError(
                    f"the centre names the organisation's key {fingerprint(trusted)}, {path} says"
                    f" {fingerprint(ours)}: is this the right centre?"
                )
            return


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[object], None]]:
    """A bar on a terminal, nothing in a log."""
    with click.progressbar(
        length=total, label="publishing", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        yield functools.partial(_advance, bar)


def _advance(bar: Any, _: object) -> None:
    bar.update(1)


def _json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _local(when: dt.datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M %Z")
