"""Edits of what is there: renamed, moved, merged, and orders to a device.

Each plans on an Edit and returns sentences for people; none when there is nothing to do. What was
before is kept with its last day, so that older answers are reported under what held then.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal

from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import EditError
from kiosk.fleet.files import PerLanguage
from kiosk.fleet.lines import Path as Keys
from kiosk.fleet.rules import one_of

Kind = Literal["device", "location", "service"]
SERVICES = "services.toml"


def kinds(edit: Edit, ident: str) -> list[Kind]:
    """What goes by an id."""
    found: list[Kind] = []
    if _file_of(edit, "device", ident):
        found.append("device")
    if _file_of(edit, "location", ident):
        found.append("location")
    if ident in services(edit):
        found.append("service")
    return found


def services(edit: Edit) -> dict[str, int]:
    """Service id -> its position in services.toml, as far as the file can be read."""
    data = edit.tree.services.data if edit.tree.services else {}
    return {entry["id"]: index for index, entry in enumerate(data.get("service", ()))}


def rename(
    edit: Edit, kind: Kind, ident: str, names: PerLanguage, since: dt.date | None
) -> list[str]:
    """A new name from `since` on; None: the former one was a mistake and is not kept.

    `names` is by language; a device has one name, under "".
    """
    file, base = _place_of(edit, kind, ident)
    former = _subject(edit, file, base)["name"]
    if kind == "device":
        changes: dict[Keys, str] = {("name",): names[""]} if names[""] != former else {}
    else:
        changes = {("name", lang): t for lang, t in names.items() if former.get(lang) != t}
    if not changes:
        return []
    if since is not None:
        _keep(edit, file, base, {"name": former}, since)
    for path, text in changes.items():
        edit.set(file, (*base, *path), text)
    told = ", ".join(f'"{text}"' for text in changes.values())
    return [f"{kind} {ident} is called {told}{_from(since)}"]


def move(edit: Edit, device: str, to: str, since: dt.date) -> list[str]:
    """A device stands at another place from `since` on."""
    file, _ = _place_of(edit, "device", device)
    _place_of(edit, "location", to)
    former = edit.text(file).data["location"]
    if former == to:
        return []
    _keep(edit, file, (), {"location": former}, since)
    edit.set(file, ("location",), to)
    return [
        f"device {device} stands at {to}{_from(since)}, before that at {former}",
        "answers keep the place they were given at, and nothing on the device is deleted",
    ]


def move_location(edit: Edit, place: str, municipality: str, since: dt.date) -> list[str]:
    """A place belongs to another municipality from `since` on."""
    file, _ = _place_of(edit, "location", place)
    former = edit.text(file).data["municipality"]
    if former == municipality:
        return []
    _keep(edit, file, (), {"municipality": former}, since)
    edit.set(file, ("municipality",), municipality)
    return [
        f"location {place} lies in {municipality}{_from(since)}, before that in {former}",
        "answers given before are counted under the former municipality",
    ]


def merge_service(edit: Edit, old: str, into: str, since: dt.date) -> list[str]:
    """From `since` on, which may be to come, `into` takes the place of `old` on every device."""
    _, base = _place_of(edit, "service", old)
    _place_of(edit, "service", into)
    entry = edit.text(SERVICES).data["service"][services(edit)[old]]
    until = _eve(since)
    if entry.get("merged_into") == into:
        return []
    if entry.get("merged_into"):
        raise EditError(f"{old} was merged into {entry['merged_into']} on {entry.get('until')}")
    edit.set(SERVICES, (*base, "until"), until)
    edit.set(SERVICES, (*base, "merged_into"), into)
    return [
        f"service {old} goes into {into}{_from(since)}",
        f"places that list {old} offer {into} instead; answers given before stay with {old}",
    ]


def pin_hash(edit: Edit, device: str = "") -> str:
    """The hash that stands in the organisation's file, or in one device's; "" for none."""
    file = _place_of(edit, "device", device)[0] if device else "organisation.toml"
    return str(edit.text(file).data.get("pin_hash", ""))


def set_pin(edit: Edit, pin_hash: str, device: str = "") -> list[str]:
    """The service screen's PIN, of the organisation or of one device."""
    file = _place_of(edit, "device", device)[0] if device else "organisation.toml"
    edit.set(file, ("pin_hash",), pin_hash)
    return [f"the PIN of {device or 'the organisation'} is set in {file}"]


def raise_key_generation(root: Path, device: str, *, dry_run: bool = False) -> Edit:
    """Have a device make itself a new key with its next configuration.

    Writes, unless `dry_run`; the edit returned says what changed. Raises EditError, ConfigErrors.
    """
    edit = Edit(root)
    file, _ = _place_of(edit, "device", device)
    edit.set(file, ("key_generation",), edit.text(file).data.get("key_generation", 0) + 1)
    _finish(edit, dry_run=dry_run)
    return edit


def order_wipe(root: Path, device: str, *, ordered: bool = True, dry_run: bool = False) -> Edit:
    """Have a device send everything and erase its data; `ordered` False takes the order back.

    Writes, unless `dry_run` or it stands so already. Raises EditError, ConfigErrors.
    """
    edit = Edit(root)
    file, _ = _place_of(edit, "device", device)
    if edit.text(file).data.get("wipe", False) != ordered:
        edit.set(file, ("wipe",), ordered)
    _finish(edit, dry_run=dry_run)
    return edit


def retire(edit: Edit, device: str) -> list[str]:
    """A device is out of use from today on; its file stays, and with it its id."""
    file, _ = _place_of(edit, "device", device)
    if edit.text(file).data.get("retired"):
        return []
    edit.set(file, ("retired",), edit.today.isoformat())
    return [f"{device} is retired: it is not published any more, and its id stays taken"]


def _finish(edit: Edit, *, dry_run: bool) -> None:
    if dry_run:
        edit.judge()
    else:
        edit.write()


def _place_of(edit: Edit, kind: Kind, ident: str) -> tuple[str, Keys]:
    """The file something stands in, and where in it. Raises EditError when there is none."""
    if kind == "service":
        there = services(edit)
        if ident not in there:
            edit.text(SERVICES)  # an error of the file is the better answer
            raise EditError(
                f'there is no service "{ident}": {one_of(ident, there, "add it to services.toml")}'
            )
        return SERVICES, ("service", there[ident])
    file = _file_of(edit, kind, ident)
    if not file:
        known = edit.tree.devices if kind == "device" else edit.tree.locations
        raise EditError(f'there is no {kind} "{ident}": {one_of(ident, known, "add it first")}')
    return file, ()


def _file_of(edit: Edit, kind: Kind, ident: str) -> str:
    known = edit.tree.devices if kind == "device" else edit.tree.locations
    named = f"{kind}s/{ident}.toml"
    if ident in known:
        return known[ident].file
    return named if named in edit.tree.broken else ""


def _keep(edit: Edit, file: str, base: Keys, former: dict[str, object], since: dt.date) -> None:
    """Put what held until the day before `since` into the history of its subject."""
    if since > edit.today:
        raise EditError(f"{since} is still to come: make the change when the day has come")
    until = _eve(since)
    was = _subject(edit, file, base).get("was", [])
    last = was[-1] if was else {}
    if last.get("until", "") > until:
        raise EditError(
            f"{file}: something else has changed later, after {last['until']}:"
            " give a later --from, or put it into the history by hand"
        )
    if last.get("until") != until:
        edit.append(file, (*base, "was"), {"until": until, **former})
        return
    for key, value in former.items():
        # A second change on one day: what stood here for no day at all is no history.
        if key not in last:
            edit.set(file, (*base, "was", len(was) - 1, key), value)


def _subject(edit: Edit, file: str, base: Keys) -> dict[str, Any]:
    """The table a service, or a whole file, is about."""
    found: Any = edit.text(file).data
    for part in base:
        found = found[part]
    table: dict[str, Any] = found
    return table


def _eve(day: dt.date) -> str:
    return (day - dt.timedelta(days=1)).isoformat()


def _from(since: dt.date | None) -> str:
    return f" from {since} on" if since else ""
