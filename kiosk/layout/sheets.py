"""Sheets over a visit: languages, the privacy notice."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from kiosk.layout import bar
from kiosk.layout.bar import BACK, Way
from kiosk.layout.kit import GAP, QUESTION, Draft, Kit
from kiosk.layout.page import Box, Page
from kiosk.layout.wrap import fill

_MEASURE: Final = 36.0
"""Longest line of long text, in u: some eighty letters."""
_NAME: Final = (1.2, 1.1, 1.0, 0.9)


def languages(kit: Kit, language: str) -> Page:
    """All languages by their own names; in one order in every language."""
    draft = Draft(kit, "languages", language)
    bottom = bar.step(draft, far=None, language=False) - 4
    if kit.tall:
        bar.logo(draft)
    codes = kit.bundle.languages
    columns, rows, height = _grid(kit, len(codes), bottom)
    if height < 20:
        draft.problem("too many languages for this panel")
    width = (kit.inner - (columns - 1) * 3) / columns
    y = bottom - rows * height - (rows - 1) * GAP
    if not kit.placed:
        y = kit.margin + (y - kit.margin) / 2
    # In a low row a smaller name, clear of the line under the current one.
    sizes = [size for size in kit.sizes(_NAME) if 0.6 * size * kit.u <= height / 2 - 3.5]
    for i, code in enumerate(codes):
        row, column = divmod(i, columns)
        box = Box(kit.margin + column * (width + 3), y + row * (height + GAP), width, height)
        current = code == language
        para = kit.fit(
            kit.text(code, "language.name"),
            code,
            width - 10,
            sizes or kit.sizes(_NAME)[-1:],
            most=1,
            bold=current,
        )
        marks = (bar.underline(box),) if current else ()
        draft.button(
            f"language.{code}", para, box, look="list", pad=5.0, marks=marks, current=current
        )
    return draft.page()


def _grid(kit: Kit, count: int, bottom: float) -> tuple[int, int, float]:
    """Columns, rows and their height, all of it within reach if that can be."""
    usual = 1 if kit.panel.portrait else 2
    for columns in (usual, usual + 1) if kit.lowered else (usual,):
        rows = -(-count // columns)
        gaps = (rows - 1) * GAP
        height = min(24.0, (kit.room(bottom + 4) - gaps) / rows)
        if height >= 20:
            return columns, rows, height
    # Hung too high for a reach so low: as low as they go.
    most = min(20.0 if kit.lowered else 24.0, (bottom - kit.margin - gaps) / rows)
    return columns, rows, most


def privacy(kit: Kit, language: str, page: int) -> Page:
    """The notice in the language shown, paged; More goes round."""
    draft = Draft(kit, "privacy", language)
    notice = kit.name(language, kit.bundle.organisation.privacy) or draft.text("privacy.body")
    version = draft.text("privacy.version").replace(
        " {version}", "\xa0" + kit.bundle.organisation.privacy_version
    )
    em = kit.u
    small = (1.0 if kit.larger else 0.8) * kit.u

    def measured(line: str) -> float:
        return kit.length(line, em, language)

    wide = min(kit.inner, _MEASURE * kit.u)
    lines = fill(notice.strip() + "\n\n" + version, wide, measured)
    number_w = 4 + kit.length(draft.text("page"), small, language)
    words = draft.text("privacy.title")
    title = kit.fit(words, language, kit.inner - number_w, QUESTION, most=1, bold=True)
    beside = title.fits
    if not beside:
        title = kit.fit(words, language, kit.inner, QUESTION, most=2, bold=True)
    top = kit.text_y
    body_y = top + title.height + 2 + (0.0 if beside else 1.2 * small)
    sample = kit.para(notice[:40], language, kit.w * 10, em)
    bottom = kit.bar_y - 4
    most = max(1, int((bottom - body_y + 0.01) / sample.leading))
    pages = _pages(lines, most)
    shown = pages[page % len(pages)]
    several = len(pages) > 1
    bar.step(draft, BACK, Way("more") if several else None)
    if kit.tall:
        bar.logo(draft)
    wide = kit.inner - (number_w if beside else 0.0)
    at = draft.mirrored(Box(kit.margin, top, wide, 0))
    y = draft.write("title", title, at.x, top, at.w)
    if several:
        number = draft.text("page").format(n=page % len(pages) + 1, m=len(pages))
        para = replace(kit.para(number, language, number_w, small), leading=1.2 * small)
        at = Box(kit.right - para.width, y - title.leading, para.width, title.leading)
        if not beside:
            at = Box(kit.margin, y, para.width, para.height)
        run = draft.centred("page", para, draft.mirrored(at), colour="ink-2")
        draft.runs.append(replace(run, align=draft.end if beside else draft.start))
    body = kit.paragraph(tuple(shown), language, em, sample.leading)
    draft.write("body", body, kit.margin, body_y, kit.inner)
    return draft.page()


def _pages(lines: list[str], most: int) -> list[list[str]]:
    """Lines by page: broken between paragraphs where that leaves a page two thirds full.

    Else inside one, never leaving a single line of it behind or ahead.
    """
    pages: list[list[str]] = []
    rest = lines
    while len(rest) > most:
        cut = most
        gaps = [i for i in range(2 * most // 3, most + 1) if not rest[i]]
        if gaps:
            cut = gaps[-1]
        elif most > 3:
            if not rest[cut + 1 : cut + 2] or not rest[cut + 1]:
                cut -= 1
            if not rest[cut - 2]:
                cut -= 2
        pages.append(_trimmed(rest[:cut]))
        rest = _trimmed(rest[cut:])
    return [*pages, rest]


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at either end."""
    while lines and not lines[0]:
        lines = lines[1:]
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines
