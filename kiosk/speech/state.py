"""Whether a device speaks as its configuration wants, and if not why."""

from __future__ import annotations

from typing import Final

from kiosk.speech.parts import Voice
from sync.contract.bundle import Bundle

STARTING: Final = "starting"
NO_ENGINE: Final = "no engine"
NO_CARD: Final = "no sound card"
ENGINE_FAILS: Final = "the engine fails"
CARD_FAILS: Final = "the sound card fails"
OFF: Final = "off by configuration"
NO_VOICE: Final = "no voice: "
"""The languages follow."""


def state(voice: Voice, bundle: Bundle | None) -> str:
    """One of the above, or something rarer in words; empty while all languages are heard."""
    if bundle is not None and not bundle.speech.enabled:
        return OFF
    if voice.reason or bundle is None:
        return voice.reason
    missing = [language for language in bundle.languages if not voice.speaks(language)]
    return NO_VOICE + ", ".join(missing) if missing else ""
