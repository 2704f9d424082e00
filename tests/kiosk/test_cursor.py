"""Where keys lead on every screen: everything is reached, and nothing holds one fast."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from kiosk.layout.compose import Composer
from kiosk.layout.every import shots
from kiosk.layout.order import choices, controls
from kiosk.layout.page import Box, Page, Target
from kiosk.ui.cursor import Cursor
from tests.kiosk.layout.staff_pages import Screens
from tests.kiosk.layout.world import MEASURE, bundle, composer, services

ARROWS = ("left", "right", "up", "down")
PANELS = ("10in-landscape", "10in-portrait", "21in-portrait")


@cache
def visitors_pages(panel: str, language: str) -> tuple[Page, ...]:
    return tuple(_composed(panel, language))


def _composed(panel: str, language: str) -> Iterator[Page]:
    config = bundle(panel, services=services(9))
    asks = msgspec.structs.replace(config.survey, ask_service=True, ask_respondent=True)
    config = msgspec.structs.replace(config, survey=asks)
    for modes in (frozenset[str](), frozenset({"larger"})):
        made = Composer(config, MEASURE, modes)
        done = set[tuple[object, ...]]()
        for _, name, args, _ in shots(config):
            if (name, args) not in done:
                done.add((name, args))
                yield getattr(made, name)(language, *args)


def at(page: Page, name: str) -> Cursor:
    cursor = Cursor()
    cursor.screen(page)
    cursor.go(name)
    cursor.shown = True
    return cursor


def ways(page: Page, keys: tuple[str, ...]) -> dict[str, set[str]]:
    """Where one key leads to from each control."""
    cursor = at(page, "")
    found: dict[str, set[str]] = {}
    for target in controls(page):
        found[target.name] = set()
        for key in keys:
            cursor.go(target.name)
            there = cursor.move(key)
            assert there is not None
            found[target.name].add(there.name)
    return found


def reached(ways: dict[str, set[str]], start: str) -> set[str]:
    """Every control that keys lead to from one."""
    found, todo = {start}, [start]
    while todo:
        more = ways[todo.pop()] - found
        found |= more
        todo += more
    return found


def no_trap(page: Page) -> None:
    names = [target.name for target in controls(page)]
    said = f"{page.screen} {page.language}"
    assert len(set(names)) == len(names), said
    operable = {target.name for target in page.targets if target.look not in ("quiet", "field")}
    assert set(names) == {name for name in operable if not name.startswith("corner.")}, said
    arrows = ways(page, ARROWS)
    for start in names:
        # Tab and Shift-Tab go through all of them, and round again.
        for key in ("next", "previous"):
            cursor = at(page, start)
            went = [cursor.move(key) for _ in names]
            assert {target.name for target in went if target} == set(names), f"{said} {start}"
            assert cursor.name == start, said
        assert reached(arrows, start) == set(names), f"{said} {start}"


@pytest.mark.parametrize("language", ["fi", "ar"])
@pytest.mark.parametrize("panel", PANELS)
def test_visitors_reach_and_leave_every_control(panel: str, language: str) -> None:
    screens = set()
    for page in visitors_pages(panel, language):
        no_trap(page)
        screens.add(page.screen)
    assert {"rest", "face", "choice", "offer", "text", "thanks", "access", "still"} <= screens


@pytest.mark.parametrize("panel", ["unknown-landscape", "unknown-portrait"])
def test_staff_reach_and_leave_every_control(panel: str) -> None:
    screens = set()
    for name, page in Screens(panel, "fi").every():
        if name in ("setup-stick-1", "setup-stick-2"):
            # Its devices are the same ones three times over, to fill pages.
            continue
        no_trap(page)
        screens.add(page.screen)
    assert {"setup", "setup-code", "check", "service", "pin"} <= screens


def test_the_touch_test_is_left_by_keys_but_not_passed_by_them() -> None:
    pages = dict(Screens("unknown-landscape", "fi").every())
    assert [target.name for target in controls(pages["corners"])] == ["touch.skip"]


@pytest.mark.parametrize("language", ["fi", "ar"])
@pytest.mark.parametrize("panel", PANELS)
def test_left_is_left_and_right_is_right_in_every_direction_of_reading(
    panel: str, language: str
) -> None:
    for page in visitors_pages(panel, language):
        order = controls(page)
        for here in order:
            for key, side in (("left", -1), ("right", 1)):
                there = at(page, here.name).move(key)
                assert there is not None
                wraps = {order.index(here), order.index(there)} == {0, len(order) - 1}
                if abs(middle(here)[1] - middle(there)[1]) < 1 and here != there and not wraps:
                    assert side * (middle(there)[0] - middle(here)[0]) > 0, (page.screen, here.name)


@pytest.mark.parametrize("language", ["fi", "ar"])
@pytest.mark.parametrize("panel", PANELS)
def test_up_and_down_go_to_the_row_beside_and_to_what_stands_there(
    panel: str, language: str
) -> None:
    for page in visitors_pages(panel, language):
        order = controls(page)
        for here in order:
            down = at(page, here.name).move("down")
            assert down is not None
            if middle(down)[1] <= middle(here)[1] + 1:
                # Round the edge: nothing lies lower.
                assert all(middle(each)[1] <= middle(here)[1] + 1 for each in order)
                continue
            between = [
                each
                for each in order
                if each.box.y >= here.box.bottom - 0.1 and each.box.bottom <= down.box.y + 0.1
            ]
            assert between == [], (page.screen, here.name, down.name)


def middle(target: Target) -> tuple[float, float]:
    box = target.box
    return box.x + box.w / 2, box.y + box.h / 2


def page_of(*rows: str, rtl: bool = False, shift: float = 0.0) -> Page:
    """Rows of keys one letter each, 20 mm apart; each row `shift` mm further than the last."""
    targets = tuple(
        Target(f"key.{letter}", letter, Box(20 * x + shift * y, 20 * y, 18, 18), "key")
        for y, row in enumerate(rows)
        for x, letter in enumerate(row)
        if letter != " "
    )
    return Page("text", "ar" if rtl else "fi", composer().panel, targets, rtl=rtl)


def way(page: Page, start: str, *keys: str) -> str:
    cursor = at(page, f"key.{start}")
    return "".join(
        target.name.removeprefix("key.") for key in keys if (target := cursor.move(key)) is not None
    )


def test_a_way_down_keeps_its_column_over_rows_that_are_shorter() -> None:
    page = page_of("abcdef", "gh", "ijklmn")
    assert way(page, "e", "down", "down", "up", "up") == "hmhe"
    assert way(page, "a", "down", "down", "down") == "gia"
    # A way to the side begins a new column.
    assert way(page, "e", "down", "left", "down") == "hgi"


def test_staggered_rows_lead_to_the_key_that_is_nearest() -> None:
    page = page_of("abcd", "efgh", "ijkl", shift=4)
    assert way(page, "b", "down", "down", "up", "up") == "fjfb"


def test_next_follows_the_reading_and_arrows_the_eye() -> None:
    page = page_of("abc", "def", rtl=True)
    assert way(page, "c", "next", "next", "next") == "baf"
    assert way(page, "b", "left") == "a"
    assert way(page, "b", "right") == "c"
    assert way(page, "b", "first") == "c"
    assert way(page, "b", "last") == "d"


# --- where it begins ------------------------------------------------------------------------------


def begun(page: Page, chosen: str = "") -> str:
    cursor = Cursor()
    cursor.screen(page, chosen)
    cursor.move("next", chosen)
    return cursor.name


def test_the_first_key_shows_where_one_stands_and_moves_nothing() -> None:
    made = composer()
    for key in ("next", "down", "last", "left"):
        cursor = Cursor()
        cursor.screen(made.rest("fi"))
        assert not cursor.shown
        cursor.move(key)
        assert (cursor.name, cursor.shown) == ("nps.0", True)


def test_it_begins_on_the_answer_chosen_or_the_first_one() -> None:
    made = composer()
    assert begun(made.rest("fi"), "nps.8") == "nps.8"
    assert begun(made.face("fi", "s05", 1, 5)) == "face.1"
    assert begun(made.offer("fi", 4, 5)) == "comment.here"
    assert begun(made.languages("fi")) == "language.fi"
    assert begun(made.text("fi")) == "key.q"
    assert begun(made.text("ar")) == controls(made.text("ar"))[0].name


def test_asked_whether_one_is_there_it_begins_on_going_on() -> None:
    assert begun(composer().still("fi")) == "continue"
    pages = dict(Screens("unknown-landscape", "fi").every())
    assert begun(pages["setup-address"]) == "setup.next"


def test_on_the_next_question_it_begins_anew_and_elsewhere_it_stays() -> None:
    made = composer()
    cursor = at(made.face("fi", "s05", 1, 5), "face.4")
    # In another language, and with larger letters, it is the same question.
    cursor.screen(made.face("sv", "s05", 1, 5))
    assert cursor.name == "face.4"
    cursor.screen(composer("10in-landscape", frozenset({"larger"})).face("sv", "s05", 1, 5))
    assert cursor.name == "face.4"
    cursor.screen(made.face("sv", "s06", 2, 5), "face.2")
    assert cursor.name == "face.2"
    cursor.screen(made.face("sv", "s07", 3, 5))
    assert cursor.name == "face.1"
    # Another layer of the keyboard.
    cursor.screen(made.text("fi", "lower"))
    cursor.go("key.123")
    cursor.screen(made.text("fi", "symbols"))
    assert cursor.name == "key.123"


def test_nothing_is_pointed_at_where_there_is_nothing() -> None:
    cursor = Cursor()
    assert cursor.move("next") is None
    cursor.screen(composer().closed("fi"))
    for key in ("next", *ARROWS, "first"):
        assert cursor.move(key) is None
    assert cursor.target is None


def test_answers_are_counted_in_the_order_they_are_read() -> None:
    assert [each.name for each in choices(composer().face("ar", "s05", 1, 5))] == [
        f"face.{value}" for value in (1, 2, 3, 4, 5)
    ]
    boxes = [each.box.x for each in choices(composer().face("ar", "s05", 1, 5))]
    assert boxes == sorted(boxes, reverse=True)
