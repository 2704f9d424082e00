"""When nobody can answer: out of use, closed, being cleaned, starting."""

from __future__ import annotations

from kiosk.layout import bar
from kiosk.layout.closing import notice
from kiosk.layout.kit import DISPLAY, Draft, Kit
from kiosk.layout.page import Box, Mark, Page


def out_of_use(kit: Kit, language: str) -> Page:
    """Calm: not in use, and whom to tell instead. The reason is on the service screen."""
    draft = Draft(kit, "out-of-use", language)
    top = _header(draft)
    contact = kit.name(language, kit.bundle.organisation.contact)
    body = draft.text("out-of-use.body") + "\n" + contact if contact else draft.text("ask-staff")
    notice(draft, "out-of-use.title", body, top + 4, kit.h - kit.margin)
    return draft.page()


def closed(kit: Kit, language: str) -> Page:
    """Closed by opening hours; the window dims the panel."""
    draft = Draft(kit, "closed", language)
    top = _header(draft)
    notice(draft, "closed", draft.text("closed.body"), top + 4, kit.h - kit.margin)
    return draft.page()


def cleaning(kit: Kit, language: str) -> Page:
    """Wiping makes no answers: nothing can be tapped while the bar runs."""
    draft = Draft(kit, "cleaning", language)
    title = kit.fit(
        draft.text("cleaning"), language, kit.inner, (DISPLAY, 1.5, 1.2), most=3, bold=True
    )
    y = (kit.h - title.height - 9) / 2
    y = draft.write("title", title, kit.margin, y, kit.inner, align="center") + 6
    wide = 0.707 * kit.inner
    draft.marks.append(Mark("bar", Box((kit.w - wide) / 2, y, wide, 3)))
    return draft.page()


def loading(kit: Kit, language: str) -> Page:
    """Nothing but the logo."""
    draft = Draft(kit, "loading", language)
    _header(draft)
    return draft.page()


def _header(draft: Draft) -> float:
    """The logo where the resting screen has it: the service door stays in its place."""
    bar.logo(draft, height=draft.kit.info_h)
    return draft.kit.header_y + draft.kit.info_h
