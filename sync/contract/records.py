"""The records of a visit, as they are frozen on the device and read at the centre.

A visit is an append-only log: a changed mind is another answer, the highest `n` of a
(device, visit, question) counts. Unknown fields are kept in the raw bytes and ignored here, so a
centre can read what a newer device wrote.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

import msgspec

NPS: Final = "nps"
"""The question whose value is 0-10; every other scale question is 1-5."""
SERVICE: Final = "service"
"""The choice list "which service is your feedback about?"."""
RESPONDENT: Final = "respondent"
"""The choice list "myself / on behalf of someone / child"."""
COMMENT: Final = "comment"
"""The open text."""
SATISFIED: Final = "satisfied"
"""The satisfaction question some devices used; values 1, 3, 5 on the three-step scale."""
OTHER: Final = "other"
"""The choice "other / don't know"."""

MAX_TEXT: Final = 2000
"""Characters of open text a terminal takes and the centre accepts."""

Short = Annotated[str, msgspec.Meta(max_length=200)]
How = Literal["completed", "timed-out", "left", "interrupted"]
Scale = Annotated[int, msgspec.Meta(ge=0, le=10)]


class Stamp(msgspec.Struct, frozen=True):
    """When something happened, as well as the device can say."""

    wall: Short
    """ISO 8601 with offset, milliseconds."""
    boottime_ms: int
    """CLOCK_BOOTTIME in ms: runs on through suspend, starts anew at each boot."""
    boot: Short
    """Boot id; `boottime_ms` compares only within one."""
    synced: bool
    """Whether the wall clock was synchronised."""


class Choice(msgspec.Struct, frozen=True):
    """A choice from a list, by its id."""

    choice: Short


class Text(msgspec.Struct, frozen=True):
    """Open text, personal data already taken out; how many of each category were."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
    redacted: dict[str, int] = {}


class Sealed(msgspec.Struct, frozen=True):
    """Reserved: text only the organisation's key can open."""

    sealed: str
    key: Short


class Answer(msgspec.Struct, frozen=True, tag_field="kind", tag="answer"):
    """One answer to one question; `value` None withdraws it (Back, then Skip)."""

    visit: Short
    question: Short
    n: Annotated[int, msgspec.Meta(ge=1)]
    value: Scale | dict[str, str | int | dict[str, int]] | None
    language: Short
    survey: Short
    """`id@version`."""
    config: int
    location: Short
    layout: Short
    position: int
    """Ordinal of the screen within the visit, from 0."""
    at: Stamp
    mode: list[str] = []
    """Any of larger, dark, low, speech."""
    flags: list[str] = []
    channel: Short = "terminal"
    privacy: Short = ""
    """Version of the privacy notice shown."""
    test: bool = False

    def content(self) -> int | Choice | Text | Sealed | None:
        """The value with its shape checked. Raises msgspec.ValidationError."""
        if isinstance(self.value, dict):
            for shape in ("choice", "text", "sealed"):
                if shape in self.value:
                    kind = {"choice": Choice, "text": Text, "sealed": Sealed}[shape]
                    found = msgspec.convert(self.value, kind)
                    assert isinstance(found, Choice | Text | Sealed)  # noqa: S101 - narrows
                    return found
            raise msgspec.ValidationError("a value is a number, a choice, a text, or null")
        if self.value is not None and self.question != NPS and not 1 <= self.value <= 5:
            raise msgspec.ValidationError(f"value {self.value} of {self.question!r} is not 1-5")
        return self.value


class End(msgspec.Struct, frozen=True, tag_field="kind", tag="end"):
    """How a visit ended, and what its answers are shares of."""

    visit: Short
    how: How
    duration_ms: int
    """From the first to the last touch."""
    shown: list[str]
    """Questions shown, in order: the denominators."""
    skipped: list[str]
    selection: Literal["fixed", "rotated"]
    at: Stamp
    flags: list[str] = []
    test: bool = False


Record = Answer | End

_decoder: msgspec.json.Decoder[Answer | End] = msgspec.json.Decoder(Answer | End)
_encoder = msgspec.json.Encoder()


def freeze(record: Record) -> bytes:
    """The bytes of a record; from here on these are the record."""
    return _encoder.encode(record)


def thaw(raw: bytes) -> Record:
    """Read a record from its bytes.

    Raises msgspec.ValidationError for another shape, msgspec.DecodeError for what is not JSON;
    nesting too deep for the decoder is a DecodeError here too.
    """
    try:
        record = _decoder.decode(raw)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"not UTF-8: {error}") from None
    if isinstance(record, Answer):
        record.content()
    return record


def digest(raw: bytes) -> str:
    """SHA-256 of a record's bytes, hex."""
    return hashlib.sha256(raw).hexdigest()
