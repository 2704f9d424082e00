"""The words of a button for staff: a label, and under it a note in small text."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.layout.kit import SMALL, Draft, Kit, Para
from kiosk.layout.page import Align, Box, Colour, Look, Mark, Target


@dataclass(frozen=True, slots=True)
class Two:
    """A label with or without its note, broken into lines."""

    label: Para
    note: Para | None = None

    @property
    def height(self) -> float:
        """Both, mm."""
        return self.label.height + (self.note.height if self.note else 0.0)

    @property
    def width(self) -> float:
        """Of the wider one, mm."""
        return max(self.label.width, self.note.width if self.note else 0.0)

    @property
    def fits(self) -> bool:
        """Whether both are as narrow as they had to be."""
        return self.label.fits and (self.note is None or self.note.fits)

    def button(
        self,
        draft: Draft,
        name: str,
        box: Box,
        *,
        look: Look,
        pad: float,
        align: Align = "center",
        inner: Box | None = None,
        marks: tuple[Mark, ...] = (),
        radius: float = 3.0,
    ) -> None:
        """Put a target on the page with these words in the middle of `inner`."""
        inner = inner or Box(box.x + pad, box.y, box.w - 2 * pad, box.h)
        plain: Colour = "on-accent" if look == "primary" else "ink"
        if self.height > box.h + 0.01:
            draft.problem(f"the words of {name} are higher than its button")
        y = inner.y + (inner.h - self.height) / 2
        at = Box(inner.x, y, inner.w, self.label.height)
        runs = [draft.say(name, self.label, at, colour=plain, align=align)]
        spoken = self.label.text
        if self.note:
            below = Box(inner.x, at.bottom, inner.w, self.note.height)
            quiet: Colour = "on-accent" if look == "primary" else "ink-2"
            runs.append(draft.say(f"{name}.note", self.note, below, colour=quiet, align=align))
            spoken += ". " + self.note.text
        draft.targets.append(Target(name, spoken, box, look, radius, tuple(runs), marks))


def two(  # noqa: PLR0917
    kit: Kit, language: str, label: str, note: str, width: float, size: float, most: int = 1
) -> Two:
    """A label at `size` u on at most `most` lines, its note small and bold where it has one."""
    para = kit.fit(label, language, width, (size,), most=most, bold=bool(note))
    small = 1.0 if kit.larger else min(SMALL, size)
    return Two(para, kit.para(note, language, width, small * kit.u) if note else None)
