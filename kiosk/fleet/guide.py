"""The commands in the order of IT's work, and an example of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORK: Final[Mapping[str, Mapping[str, str]]] = {
    "Begin": {
        "init": '--id varha --name fi="Varsinais-Suomen hyvinvointialue" --languages fi,sv',
        "keygen": "",
        "pin": "",
    },
    "Add": {
        "add-location": '--name "Salon terveysasema" --municipality Salo'
        " --hours mon-fri=08:00-16:00",
        "add-device": '--location 0031 --name "Aula, pääovi" --panel 10in-portrait',
        "add-devices": "--csv list.csv --create-locations",
    },
    "Look": {
        "validate": "",
        "list": "devices --sort place",
        "show": "varha-0074 --explain",
        "preview": "varha-0074 --language fi",
        "audit": "varha-0074 --html audit",
        "mounting": "varha-0074 --out installation.pdf",
    },
    "Change": {
        "rename": 'varha-0074 --name "Aula, sivuovi"',
        "move": "varha-0074 --to 0012",
        "move-location": "0031 --municipality Turku --from 2026-01-01",
        "merge-service": "laboratory --into outpatient --from 2027-01-01",
    },
    "Into use": {
        "publish": "--dry-run",
        "enrol": "varha-0074 --labels label.pdf --usb /media/stick",
        "cancel-code": "varha-0074",
        "stick": "--packages build/deb --usb tickets --out installer",
        "status": "--check",
    },
    "Without network": {
        "export": "varha-0074 --to /media/stick",
        "import": "/media/stick",
    },
    "Later, a device": {
        "replace": "varha-0074 --labels label.pdf",
        "rotate": "varha-0074",
        "wipe": "varha-0074",
        "retire": 'varha-0074 --reason "the place has closed"',
        "revoke": "varha-0074 --reason stolen",
        "correct": "--device varha-0074 --from 2026-03-02 --to 2026-03-05 --location 0012"
        ' --reason "moved on Monday"',
        "corrections": "--withdraw 3",
    },
    "Editors": {
        "schema": "",
    },
}
"""Heading -> command -> what follows `hymio fleet COMMAND` in an example."""


def example(command: str) -> str:
    """A whole line to type; a mistaken name raises KeyError."""
    words = next(group[command] for group in WORK.values() if command in group)
    return f"hymio fleet {command} {words}".rstrip()
