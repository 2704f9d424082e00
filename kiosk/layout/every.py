"""Every screen of one configuration, by name: what a preview draws and a check composes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Literal

from kiosk.layout.access import SWITCHES
from kiosk.layout.choice import groups
from kiosk.layout.kit import panel_of
from kiosk.questions import choices, steps_of
from sync.contract.bundle import Bundle

Shown = Literal["rest", "pressed", "chosen", "focus", "chosen-focus"]
Shot = tuple[str, str, tuple[Any, ...], dict[str, Shown]]
"""Name, Composer method, its arguments after the language, targets that look otherwise."""
SPEAKING = ("repeat", "pause", "quieter", "louder")
PAUSED = ("repeat", "resume", "quieter", "louder")
"""What the access sheet offers besides while speech is on."""


def modes_of(bundle: Bundle) -> tuple[frozenset[str], ...]:
    """The modes in which things stand elsewhere on a device's panel: none, and each together with
    each."""
    moving = ("larger", "low") if panel_of(bundle.screen).offers_low else ("larger",)
    return tuple(
        frozenset(each) for count in range(len(moving) + 1) for each in combinations(moving, count)
    )


def shots(bundle: Bundle, offered: Sequence[str] = SWITCHES) -> Iterator[Shot]:
    """Every screen a visitor or passer-by can meet; `offered`: the access sheet's switches."""
    survey = bundle.survey
    asked = survey.statements[: survey.count]
    steps = steps_of(bundle, asked)
    questions = list(dict.fromkeys(step.question for step in steps if step.question))
    total = len(questions)
    yield "rest", "rest", (), {}
    yield "rest-chosen", "rest", (), {"nps.8": "chosen"}
    yield "rest-pressed", "rest", (), {"nps.3": "pressed"}
    for step in steps:
        done = questions.index(step.question) if step.question else total
        if step.kind == "choice":
            dots = (done, total)
            yield f"choice-{step.question}", "choice", (step.question, 0, "", dots), {}
            for group in choice_groups(bundle, step.question):
                name = f"choice-{step.question}-{group}"
                yield name, "choice", (step.question, 0, group, dots), {}
        elif step.kind == "face":
            yield f"face-{step.question}", "face", (step.question, done, total), {}
        elif step.kind == "offer":
            yield "offer", "offer", (done, total), {}
    faces = [step.question for step in steps if step.kind == "face"]
    if faces:
        done = questions.index(faces[0])
        chosen: dict[str, Shown] = {"face.5": "chosen"}
        yield "face-chosen", "face", (faces[0], done, total), chosen
    for statement in survey.statements[survey.count :]:
        # Rotated surveys ask these too, each in the place of the last.
        yield f"face-{statement.id}", "face", (statement.id, total - 1, total), {}
    if survey.ask_comment:
        for layer in ("lower", "upper", "symbols"):
            yield f"text-{layer}", "text", (layer,), {}
        yield "warning", "warning", (("phone",),), {}
    yield "thanks", "thanks", (), {}
    yield "reply", "reply", (), {}
    yield "still", "still", (), {}
    yield "still-language", "still", (True,), {}
    yield "access", "access", (tuple(offered),), {}
    yield "access-started", "access", (tuple(offered), True), {}
    if "speech" in offered:
        yield "access-speech", "access", ((*offered, *SPEAKING),), {}
        yield "access-speech-paused", "access", ((*offered, *PAUSED), True), {}
    for name in ("languages", "privacy", "out-of-use", "closed"):
        yield name, name.replace("-", "_"), (), {}


def choice_groups(bundle: Bundle, question: str) -> tuple[str, ...]:
    """The groups behind a choice list's first screen."""
    offered = set(choices(bundle, question))
    return groups([service for service in bundle.services if service.id in offered])
