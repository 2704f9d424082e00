"""What a visit asks, in which order, and which values answer it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kiosk import privacy
from sync.contract.bundle import Bundle, ScaleName, Statement, Survey
from sync.contract.records import COMMENT, MAX_TEXT, NPS, OTHER, RESPONDENT, SATISFIED, SERVICE

Kind = Literal["nps", "face", "choice", "offer", "text", "thanks"]
Value = int | str
"""What the screen shows as chosen: a scale value, a choice's id, the text as it was stored."""
Content = int | dict[str, str | int | dict[str, int]]
"""The same as a record carries it."""

RESPONDENTS: Final = ("self", "on-behalf", "child")
"""Choices of the respondent question; wording `respondent.<choice>`."""


class VisitError(Exception):
    """A visit was asked for something it cannot do."""


class InvalidAnswerError(VisitError):
    """A value this question does not have."""


@dataclass(frozen=True, slots=True)
class Step:
    """One screen of a visit; `question` is "" for the thanks."""

    kind: Kind
    question: str


def scale_of(survey: Survey, question: str) -> ScaleName:
    """The faces of a question; the satisfaction question never takes words of agreement."""
    if question == SATISFIED and survey.scale == "agree5":
        return "satisfied5"
    return survey.scale


def scale_values(scale: ScaleName) -> tuple[int, ...]:
    """The values of a face scale, worst to best."""
    return (1, 3, 5) if scale == "satisfied3" else (1, 2, 3, 4, 5)


def choices(bundle: Bundle, question: str) -> tuple[str, ...]:
    """The ids a choice list offers; for services those given here (all if none are named)."""
    if question == RESPONDENT:
        return RESPONDENTS
    services = bundle.location.services or tuple(service.id for service in bundle.services)
    return (*services, OTHER)


def steps_of(bundle: Bundle, statements: Sequence[Statement]) -> tuple[Step, ...]:
    """The screens of a visit, in order."""
    survey = bundle.survey
    steps = [Step("nps", NPS)]
    # One service is every visit's service; there is nothing to choose from none.
    if survey.ask_service and len(choices(bundle, SERVICE)) > 2:
        steps.append(Step("choice", SERVICE))
    if survey.ask_respondent:
        steps.append(Step("choice", RESPONDENT))
    if survey.satisfied:
        steps.append(Step("face", SATISFIED))
    steps += [Step("face", statement.id) for statement in statements]
    if survey.ask_comment:
        steps += [Step("offer", COMMENT), Step("text", COMMENT)]
    return (*steps, Step("thanks", ""))


def content_of(bundle: Bundle, step: Step, value: Value) -> Content:
    """A value as the record of a step carries it, personal data taken out of a text.

    `value` is the number on a scale, the id of a choice, or the text as typed.
    Raises InvalidAnswerError for what is not an answer to this step.
    """
    if step.kind == "text":
        text = _tidy(value) if isinstance(value, str) else ""
        if not text or len(text) > MAX_TEXT:
            raise InvalidAnswerError(f"a text has 1 to {MAX_TEXT} characters")
        text, redacted = privacy.redact(text)
        return {"text": text, "redacted": dict(redacted)}
    if step.kind == "choice":
        if not isinstance(value, str) or value not in choices(bundle, step.question):
            raise InvalidAnswerError(f"{value!r} is not a choice of {step.question!r}")
        return {"choice": value}
    allowed: tuple[int, ...] = ()
    if step.kind == "nps":
        allowed = tuple(range(11))
    elif step.kind == "face":
        allowed = scale_values(scale_of(bundle.survey, step.question))
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        raise InvalidAnswerError(f"{value!r} is not on the scale of {step.question!r}")
    return value


def value_of(content: Content) -> Value:
    """What the screen shows for a record's content."""
    if isinstance(content, int):
        return content
    return str(content.get("choice", content.get("text", "")))


def _tidy(text: str) -> str:
    """Without control, format and surrogate characters: they hide things and break encodings."""
    return "".join(c for c in text if c == "\n" or unicodedata.category(c)[0] != "C").strip()


def progress(steps: Sequence[Step], index: int) -> tuple[int, int]:
    """Questions behind the person on a screen, and questions in all; offer and text are one."""
    asked = list(dict.fromkeys(step.question for step in steps if step.question))
    here = steps[index].question
    return (asked.index(here) if here else len(asked)), len(asked)
