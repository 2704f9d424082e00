"""What a check is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kiosk.layout.every import Shown
from kiosk.layout.page import Box, Page, Run
from kiosk.ui.pages import Modes, Pages
from kiosk.ui.paint import Painter
from sync.contract.bundle import Bundle

Severity = Literal["failure", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure that does not hold; a note is something to know that is no failure."""

    check: str
    screen: str
    language: str
    mode: str
    control: str
    found: str
    required: str
    remedy: str
    severity: Severity = "failure"
    box: tuple[float, float, float, float] | None = None
    """Where, in mm from the top left of the panel."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "check": self.check,
            "screen": self.screen,
            "language": self.language,
            "mode": self.mode,
            "control": self.control,
            "found": self.found,
            "required": self.required,
            "remedy": self.remedy,
            "severity": self.severity,
            "box_mm": [round(value, 2) for value in self.box] if self.box else None,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """One screen in one language and mode, with what paints it."""

    name: str
    page: Page
    modes: Modes
    bundle: Bundle
    pages: Pages
    states: Mapping[str, Shown] = field(default_factory=dict)
    memory: dict[Any, Any] = field(default_factory=dict)
    """What was measured on pixels before; shared by all screens of one process."""

    @property
    def painter(self) -> Painter:
        """What paints this screen in its theme."""
        return self.pages.painter(self.modes, self.page.screen)

    @property
    def larger(self) -> bool:
        """Whether text and targets are large."""
        return "larger" in self.modes

    @property
    def runs(self) -> Iterator[tuple[Run, str]]:
        """Every text, with the name of its target or its own."""
        for run in self.page.runs:
            yield run, run.name
        for target in self.page.targets:
            for run in target.runs:
                yield run, target.name

    def finding(
        self,
        check: str,
        control: str,
        found: str,
        required: str,
        remedy: str,
        *,
        box: Box | None = None,
        note: bool = False,
    ) -> Finding:
        """A finding on this screen."""
        return Finding(
            check=check,
            screen=self.name,
            language=self.page.language,
            mode=mode_name(self.modes),
            control=control,
            found=found,
            required=required,
            remedy=remedy,
            severity="note" if note else "failure",
            box=(box.x, box.y, box.w, box.h) if box else None,
        )

    def remembered(self, key: tuple[Any, ...], measure: Callable[[], Any]) -> Any:
        """What `measure` gives, measured once for the same key, scale and theme."""
        painter = self.painter
        whole = (painter.view.scale, painter.theme, *key)
        if whole not in self.memory:
            self.memory[whole] = measure()
        return self.memory[whole]


Look = Callable[[Seen], Iterator[Finding]]
"""A check of one screen."""


def mode_name(modes: Modes) -> str:
    """`larger+dark`; `normal` where none is on."""
    return "+".join(sorted(modes, key=lambda mode: (mode != "larger", mode))) or "normal"
