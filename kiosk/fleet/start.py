"""The first files of an organisation: a folder that validates, with explanations where to go on."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.fleet import schema
from kiosk.fleet.edit import Edit
from kiosk.fleet.errors import EditError
from kiosk.fleet.files import PerLanguage
from kiosk.fleet.toml_text import pair

ORGANISATION = """\
#:schema schema/organisation.schema.json
# The organisation: what every location and device starts from.
# Later wins: built-in defaults < this file < the location's file < the device's file.

{identity}
timezone = "Europe/Helsinki"
accent = "#0B5563" # brand colour: contrast 4.5 on #F4F2ED and under white
privacy_version = "{month}" # raise it when the privacy notice changes

# Names of places and services are written in these; the other languages show the English ones.
{name_languages}

# In the order shown; the first is the resting language.
{languages}
survey = "lobby"

# What neither a location nor a device may change: a key, or a whole table.
locked = ["endpoint", "storage.keep_days"]
{municipalities}
{name}

[endpoint]
{endpoint}

[storage]
keep_days = 30 # at least twice the centre's backup interval

[targets]
nps = 80
fully_agree_pct = 80

# Whom someone who wants a reply can turn to, in every language shown. \\n begins a line.
# [contact]
{contact}

# The privacy notice; without it the program's own is shown, which names no controller.
# [privacy]
{privacy}
"""

SERVICES = """\
#:schema schema/services.schema.json
# Services a respondent can choose. An id is never reused; a new name keeps its id.
# They are asked where a survey says ask_service = true.
#
# [[service]]
# id = "health-station"
# name = {example}
"""

SURVEY = """\
#:schema ../schema/survey.schema.json
# For a busy lobby: one number, three faces, gone in twelve seconds.

id = "lobby"
version = 1
selection = "fixed"
count = 3
statements = ["s05", "s06", "s09"]
ask_comment = false
"""

IGNORE = """\
# Public keys only: a private key never lies in this folder.
*.key
"""

README = """\
# {name}: what every terminal is told

Made with `hymio fleet init`. Go on with

1. organisation.toml: endpoint, contact and privacy notice
2. `hymio fleet add-location --name "…" --municipality …`
3. `hymio fleet add-device --location 0001 --name "…"`
4. `hymio fleet validate`, then `hymio fleet preview {prefix}-0001`

Every command has `--help` and `--dry-run`. Keep this folder in version control. What each file may
say stands in schema/; an editor that knows TOML shows it while you type.
"""


@dataclass(frozen=True)
class Beginning:
    """What is known of an organisation at the beginning."""

    id: str
    names: PerLanguage
    languages: Sequence[str] = ()
    """Shown on the screen, in this order; empty: those of the names."""
    endpoint: str = ""
    prefix: str = ""
    """What device ids begin with; empty: the id."""
    municipalities: Sequence[str] = ()


def plan(root: Path, new: Beginning, *, today: dt.date | None = None) -> Edit:
    """Plan every file that is not there yet; none when this organisation's folder was made before.

    Raises EditError when the folder holds something else.
    """
    edit = Edit(root, today=today)
    files = _files(new, edit.today)
    if _made_before(root, new.id, files):
        return edit
    for file, text in files.items():
        if not (root / file).exists():
            edit.create(file, text)
    return edit


def _made_before(root: Path, ident: str, files: Mapping[str, str]) -> bool:
    """Whether this organisation's folder is there. Raises EditError where something else is."""
    if root.exists() and not root.is_dir():
        raise EditError(f"{root} is not a folder")
    organisation = root / "organisation.toml"
    if organisation.exists():
        try:
            there = tomllib.loads(organisation.read_bytes().decode("utf-8-sig")).get("id")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise EditError(
                f"{organisation} is there already and cannot be read: {error}"
            ) from None
        if there != ident:
            raise EditError(f'{root} is the folder of "{there}" already: give another --root')
        return True
    ours = {Path(file).parts[0] for file in files}
    strange = sorted(
        path.name
        for path in (root.iterdir() if root.is_dir() else ())
        if not path.name.startswith(".") and path.name not in ours
    )
    if strange:
        raise EditError(
            f"{root} holds other files ({', '.join(strange[:3])}): give an empty or new --root"
        )
    return False


def _files(new: Beginning, today: dt.date) -> dict[str, str]:
    names, languages = new.names, new.languages or list(new.names)
    prefix = new.prefix or new.id
    identity = [pair("id", new.id)]
    if prefix != new.id:
        identity.append(pair("device_prefix", prefix) + " # new devices: <prefix>-0001")
    listed = (
        ["", "# Every municipality a place can lie in.", pair("municipalities", new.municipalities)]
        if new.municipalities
        else []
    )
    example = dict.fromkeys(names, "…")
    organisation = ORGANISATION.format(
        identity="\n".join(identity),
        month=f"{today:%Y-%m}",
        name_languages=pair("name_languages", list(names)),
        languages=pair("languages", languages),
        municipalities="\n".join([*listed, ""]),
        name="\n".join(["[name]", *(pair(key, text) for key, text in names.items())]),
        endpoint=pair("url", new.endpoint)
        if new.endpoint
        else '# url = "https://palaute.example.fi"',
        contact="\n".join(f'# {language} = "…\\n…"' for language in languages),
        privacy="\n".join(f'# {language} = """…"""' for language in languages),
    )
    found = {
        "services.toml": SERVICES.format(example=pair("x", example).partition(" = ")[2]),
        "surveys/lobby.toml": SURVEY,
        "keys/.gitignore": IGNORE,
        "README.md": README.format(name=next(iter(names.values())), prefix=prefix),
    }
    for name, kind in schema.FILES.items():
        found[f"schema/{name}.schema.json"] = _json(schema.schema(kind))
    # Last: a folder that has it has everything.
    return {**found, "organisation.toml": organisation}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
