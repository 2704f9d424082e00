"""Left and right: which way a page reads, and in what digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from kiosk.audit.finding import Finding, Seen
from kiosk.layout.order import choices
from kiosk.layout.page import Target

RTL = frozenset({"ar", "he", "fa", "ur"})
"""Languages written from right to left."""
_EASTERN = re.compile("[\u0660-\u0669\u06f0-\u06f9]")


def reads(seen: Seen) -> Iterator[Finding]:
    """The page is mirrored exactly where its language reads from the right."""
    page = seen.page
    rtl = page.language in RTL
    way = "from the right" if rtl else "from the left"
    if page.rtl != rtl or page.arrangement.endswith("-rtl") != (rtl and bool(page.arrangement)):
        yield _wrong(seen, "page", "the page reads the other way", way)
    for one, other in _rows(seen):
        if (other.box.x < one.box.x) != rtl:
            yield _wrong(seen, f"{one.name} and {other.name}", "in the other order", way, other)
    for target in page.targets:
        if target.name == "access" and target.box.x > page.panel.width_mm / 4:
            yield _wrong(seen, "access", "not at the left", "bottom left in every language", target)
    for run in page.runs:
        if run.name == "question" and run.align != ("right" if rtl else "left"):
            yield _wrong(seen, run.name, f"begins at the {run.align}", way)


def _rows(seen: Seen) -> Iterator[tuple[Target, Target]]:
    """Answers that follow each other on one line, by their value."""
    scale = [each for each in choices(seen.page) if each.look in ("number", "card")]
    scale.sort(key=lambda target: float(target.name.partition(".")[2]))
    for one, other in pairwise(scale):
        if abs(one.box.y - other.box.y) < 1:
            yield one, other


def digits(seen: Seen) -> Iterator[Finding]:
    """Digits are European in every language: so the scale is printed everywhere else."""
    for run, name in seen.runs:
        if any(_EASTERN.search(line) for line in run.lines):
            yield seen.finding(
                "digits",
                name,
                " ".join(run.lines),
                "European digits",
                "write 0 to 9 in the wording",
                box=run.box,
            )


def _wrong(
    seen: Seen, control: str, found: str, required: str, target: Target | None = None
) -> Finding:
    return seen.finding(
        "direction",
        control,
        found,
        required,
        "tell the makers of the program",
        box=target.box if target else None,
    )
