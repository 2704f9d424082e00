"""What the flow is given to speak with, and what it hands over to be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """One piece said by one voice."""

    text: str
    language: str


Utterance = tuple[Part, ...]
"""Pieces said one after another; a change of language is a change of voice."""


class Voice(Protocol):
    """Whatever speaks. No call waits for anything: what is slow happens behind it."""

    @property
    def available(self) -> bool:
        """Whether anything would be heard: an engine, a sound card."""

    @property
    def reason(self) -> str:
        """Why nothing would be heard, in a few words; empty while it would be."""

    @property
    def headphones(self) -> bool:
        """Whether headphones are plugged in, so that nobody else hears."""

    @property
    def busy(self) -> bool:
        """Whether something is being said or waits to be; a pause is not the end."""

    @property
    def paused(self) -> bool:
        """Whether speech stands still until `resume`."""

    @property
    def volume(self) -> int:
        """Per cent."""

    def speaks(self, language: str) -> bool:
        """Whether there is a voice for a language."""

    def say(self, parts: Utterance, *, after: bool = False) -> None:
        """Stop what is said and say this; `after`: once that is finished. Ends a pause."""

    def repeat(self) -> None:
        """Say again, from its start, what is being said or was said last; what waits stays."""

    def stop(self) -> None:
        """Fall silent at once and drop what was to come; ends a pause."""

    def forget(self) -> None:
        """Stop, and keep nothing to repeat: the next visitor hears nothing of this one."""

    def pause(self) -> None:
        """Stand still where it is."""

    def resume(self) -> None:
        """Go on where it stood."""

    def set_volume(self, percent: int) -> None:
        """Louder or quieter from now on, 10 to 100 per cent."""

    def use(self, *, rate_wpm: int) -> None:
        """Another configuration."""

    def close(self) -> None:
        """Fall silent for good."""


class Silence:
    """The voice of a device without one."""

    available = headphones = busy = paused = False
    volume = 0
    reason = "no engine"

    def speaks(self, language: str) -> bool:  # noqa: ARG002
        """No language at all."""
        return False

    def say(self, parts: Utterance, *, after: bool = False) -> None:
        """Nothing is heard."""

    def repeat(self) -> None:
        """Nothing is heard."""

    def stop(self) -> None:
        """Silent already."""

    def forget(self) -> None:
        """Nothing is known."""

    def pause(self) -> None:
        """Silent already."""

    def resume(self) -> None:
        """Nothing goes on."""

    def set_volume(self, percent: int) -> None:
        """Nothing is louder."""

    def use(self, *, rate_wpm: int) -> None:
        """Nothing to set."""

    def close(self) -> None:
        """Silent already."""
