"""The configuration where there is none: enough for a calm out-of-use screen."""

from __future__ import annotations

from kiosk.wording import wording
from sync.contract.bundle import Bundle, Location, Organisation, Survey

UNKNOWN = "unknown"
"""The device where no configuration says which it is."""


def fallback_bundle() -> Bundle:
    """A bundle with the program's own wording and nothing of an organisation."""
    languages = ("fi", "sv", "en")
    return Bundle(
        device=UNKNOWN,
        organisation=Organisation(id="unknown", name={}),
        location=Location(id="unknown", name={}, municipality=""),
        languages=languages,
        survey=Survey(id="none", version=1),
        texts={language: dict(wording(language)) for language in languages},
    )
