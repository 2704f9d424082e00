"""The order in which a keyboard goes through a page, and speech counts its controls."""

from __future__ import annotations

from kiosk.layout.page import Page, Target


def controls(page: Page, *, field: bool = False) -> tuple[Target, ...]:
    """What can be operated, in reading order: the content, then the bar, then the header.

    `field`: the text as well, which speech reads.
    """
    bar = next((target.box.y for target in page.targets if target.name == "access"), None)
    content: list[Target] = []
    low: list[Target] = []
    high: list[Target] = []
    top = min((target.box.y for target in page.targets if _answers(target)), default=0.0)
    for target in page.targets:
        if target.look == "quiet" or (target.look == "field" and not field):
            continue
        if target.name.startswith("corner."):
            # The touch test asks for fingers.
            continue
        if bar is not None and target.box.y >= bar - 0.1:
            low.append(target)
        elif target.box.bottom <= top:
            high.append(target)
        else:
            content.append(target)
    return (*_read(content, page.rtl), *_read(low, page.rtl), *_read(high, page.rtl))


def choices(page: Page) -> tuple[Target, ...]:
    """The answers among them: what is counted aloud, "option 7 of 11"."""
    return tuple(target for target in controls(page) if _answers(target))


def _answers(target: Target) -> bool:
    return target.name.partition(".")[0] in ("nps", "face", "choice", "group")


def _read(targets: list[Target], rtl: bool) -> list[Target]:
    """Rows from the top, each as its language reads."""
    rows: list[list[Target]] = []
    for target in sorted(targets, key=lambda each: each.box.y):
        middle = target.box.y + target.box.h / 2
        if rows and rows[-1][0].box.y <= middle <= rows[-1][0].box.bottom:
            rows[-1].append(target)
        else:
            rows.append([target])
    side = -1.0 if rtl else 1.0
    return [each for row in rows for each in sorted(row, key=lambda t: side * t.box.x)]
