"""The one door to the layout: screens as pages, for one panel and one configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from kiosk.layout import (
    access,
    away,
    choice,
    closing,
    comment,
    corners,
    face,
    keys,
    rest,
    sheets,
    staff,
)
from kiosk.layout.keyboards import Layer
from kiosk.layout.keys import Keys
from kiosk.layout.kit import Kit
from kiosk.layout.measure import Measure, PillowMeasure
from kiosk.layout.page import Page, Panel
from kiosk.layout.staff import Sheet
from kiosk.layout.staffbar import Action
from kiosk.layout.wrap import typed
from sync.contract.bundle import Bundle


class Composer:
    """Composes every screen of one bundle; the same arguments give the same page.

    Pages are cheap to compose anew: texts are measured and broken once.
    """

    def __init__(
        self,
        bundle: Bundle,
        measure: Measure | None = None,
        modes: frozenset[str] = frozenset(),
    ) -> None:
        self._kit = Kit(bundle, measure or PillowMeasure(), modes)

    @property
    def panel(self) -> Panel:
        """The panel composed for."""
        return self._kit.panel

    def rest(self, language: str) -> Page:
        """The 0-10 question: where every visit starts."""
        return rest.compose(self._kit, language)

    def face(self, language: str, question: str, done: int, total: int) -> Page:
        """A smiley statement (its id) or the satisfaction question; `done` of `total` steps."""
        return face.compose(self._kit, language, question, done, total)

    def choice(
        self,
        language: str,
        question: str,
        page: int = 0,
        group: str = "",
        dots: tuple[int, int] | None = None,
    ) -> Page:
        """A choice list; targets `choice.<id>`, `group.<id>` (compose again with it), `more`.

        `page` counts up without end and goes round; `dots` is (done, total).
        """
        return choice.compose(self._kit, language, question, page, group, dots)

    def offer(self, language: str, done: int, total: int) -> Page:
        """Whether to write something; its way onward is `skip` in the words of Done."""
        return comment.offer(self._kit, language, done, total)

    def text(self, language: str, layer: Layer = "lower") -> Page:
        """Field and keyboard; the typed text goes into the empty run `field` of its target."""
        return comment.text(self._kit, language, layer)

    def warning(self, language: str, found: tuple[str, ...] = ()) -> Page:
        """The text looks like personal data; `found` are the categories of `privacy.find`."""
        return comment.warning(self._kit, language, found)

    def thanks(self, language: str, today: str = "", reply: bool = True) -> Page:
        """Thanks; `today` (ISO date) hides what feedback changed after its last day."""
        return closing.thanks(self._kit, language, today, reply)

    def reply(self, language: str) -> Page:
        """Whom to ask, since an anonymous answer cannot be answered."""
        return closing.reply(self._kit, language)

    def still(self, language: str, confirm: bool = False) -> Page:
        """Are you still there; `confirm`: the same after a change of language."""
        return closing.still(self._kit, language, confirm)

    def languages(self, language: str) -> Page:
        """The sheet of all languages."""
        return sheets.languages(self._kit, language)

    def access(
        self,
        language: str,
        offered: Sequence[str] = ("speech", "larger", "dark", "low"),
        started: bool = False,
    ) -> Page:
        """The access sheet; Start over (`restart`) if `started`.

        `offered`: the switches `speech`, `larger`, `dark`, `low` (that one on high panels only) as
        `mode.<name>`, and what speech can be told, such as `repeat`, as `speech.<name>`.
        """
        return access.compose(self._kit, language, offered, started)

    def privacy(self, language: str, page: int = 0) -> Page:
        """The privacy notice; `page` counts up without end and goes round."""
        return sheets.privacy(self._kit, language, page)

    def out_of_use(self, language: str) -> Page:
        """Calm: not in use, and whom to tell instead."""
        return away.out_of_use(self._kit, language)

    def closed(self, language: str) -> Page:
        """Closed by opening hours."""
        return away.closed(self._kit, language)

    def cleaning(self, language: str) -> Page:
        """Locked for wiping."""
        return away.cleaning(self._kit, language)

    def staff(self, language: str, sheet: Sheet) -> Page:
        """A screen for staff: text, rows, choices, ways on; `more` where it takes several pages."""
        return _usable(self._kit, lambda kit: staff.compose(kit, language, sheet))

    def keys(self, language: str, typing: Keys) -> Page:
        """A field and keys for staff; targets `key.<character>`, `key.⌫`, `field`."""
        return _usable(self._kit, lambda kit: keys.compose(kit, language, typing))

    def corners(
        self,
        language: str,
        title: str,
        hit: frozenset[str],
        left: str = "",
        actions: tuple[Action, ...] = (),
    ) -> Page:
        """The touch test: targets `corner.tl`, `.tr`, `.bl`, `.br`, `.c`; those in `hit` ticked."""
        return _usable(
            self._kit, lambda kit: corners.compose(kit, language, title, hit, left, actions)
        )

    def loading(self, language: str) -> Page:
        """Nothing but the logo."""
        return away.loading(self._kit, language)

    def wrap(self, text: str, width_mm: float, em: float, bold: bool, language: str) -> list[str]:
        """Typed text as lines at most `width_mm` wide; nothing of it is remembered."""
        seen: dict[str, float] = {}

        def measured(line: str) -> float:
            if line not in seen:
                seen[line] = self._kit.measure.width(line, em, bold, language, keep=False)
            return seen[line]

        return typed(text, width_mm, measured)


_PARTS: Final = (0.8, 0.65, 0.55)


def _usable(kit: Kit, make: Callable[[Kit], Page]) -> Page:
    """A page for staff, smaller than allowed where it does not fit: a device must be set up.

    What did not fit stays among its problems.
    """
    page = make(kit)
    if not page.problems:
        return page
    tried = [make(kit.smaller(part)) for part in _PARTS]
    best = min(tried, key=lambda each: len(each.problems))
    if len(best.problems) >= len(page.problems):
        return page
    return replace(best, problems=page.problems + best.problems)
