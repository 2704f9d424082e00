"""The screens for staff on every panel and in their languages: the rules of the table of sizes.

The checks know nothing of how pages are composed.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import ImageFont

from kiosk.audit import figures
from kiosk.layout.compose import Composer
from kiosk.layout.measure import fonts
from kiosk.layout.page import Box, Page, Target
from kiosk.layout.staff import Action, Row, Sheet
from kiosk.wording import STAFF_LANGUAGES, staff
from sync.contract import code as codes
from sync.contract.bundle import Screen
from tests.kiosk.layout.staff_pages import SEVEN_INCH, STAFF_PANELS, Screens, draw
from tests.kiosk.layout.test_rules import crossing, gap, margin, runs_of
from tests.kiosk.layout.world import MEASURE, bundle, every_page

LARGER = frozenset({"larger"})
CODE = codes.ALPHABET + "⌫"
ADDRESS = "abcdefghijklmnopqrstuvwxyz0123456789.-:/_⌫"
DIGITS = "0123456789⌫"
everywhere = pytest.mark.parametrize("language", STAFF_LANGUAGES)
on_every_panel = pytest.mark.parametrize("panel", STAFF_PANELS)


def keyed(page: Page) -> str:
    return "".join(t.name.removeprefix("key.") for t in page.targets if t.look == "key")


def least_size(page: Page, target: Target) -> tuple[float, float]:
    if target.name.startswith("corner."):
        return 20.0, 20.0
    if target.look == "field":
        return 60.0, 9.0
    if target.look != "key":
        return 16.0, 16.0
    if len(keyed(page)) == len(DIGITS):
        return 20.0, 20.0
    # An address is typed with ten columns at least, which upright panels to 13 inches are too
    # narrow for.
    ten = (page.panel.width_mm - 2 * margin(page) + 2) / 10 - 2
    return (9.0 if ten < 15 and len(keyed(page)) == len(ADDRESS) else 15.0), 15.0


def check(page: Page) -> None:
    where = f"{page.screen} {page.language} {page.panel.width_mm:g} mm"
    assert page.problems == (), where
    test = page.screen == "corners"
    edge = (2.0 if test else margin(page)) - 0.01
    u = page.panel.u
    for target in page.targets:
        box = target.box
        wide, high = least_size(page, target)
        assert box.w >= wide - 0.01, f"{where}: {target.name} {box}"
        assert box.h >= high - 0.01, f"{where}: {target.name} {box}"
        assert target.label, f"{where}: {target.name} has nothing to be called aloud"
        assert min(box.x, box.y) >= edge, f"{where}: {target.name} {box}"
        assert box.right <= page.panel.width_mm - edge, f"{where}: {target.name} {box}"
        assert box.bottom <= page.panel.height_mm - edge, f"{where}: {target.name} {box}"
        if page.panel.height_mm > 320 and not test:
            assert box.y >= page.panel.height_mm - 320.01, f"{where}: {target.name}"
        for run in target.runs:
            assert run.box.x >= box.x - 0.01, f"{where}: {run}"
            assert run.box.right <= box.right + 0.01, f"{where}: {run}"
            assert run.box.y >= box.y - 0.01, f"{where}: {run}"
            assert run.box.bottom <= box.bottom + 0.01, f"{where}: {run}"
        for mark in target.marks:
            assert mark.box.x >= box.x, f"{where}: {mark}"
            assert mark.box.right <= box.right, f"{where}: {mark}"
            assert not any(
                mark.kind == "icon" and crossing(mark.box, run.box) for run in target.runs
            ), f"{where}: {mark}"
    for one, other in combinations(page.targets, 2):
        least = 1.2 if one.look == other.look == "key" else 2.0
        assert gap(one.box, other.box) >= least - 0.01, f"{where}: {one.name} {other.name}"
    standing: list[tuple[str, Box]] = [(run.name, run.box) for run in page.runs]
    states = [mark for mark in page.marks if mark.kind in ("tick", "ring", "alert")]
    standing += [(mark.kind, mark.box) for mark in states]
    for name, box in standing:
        assert box.x >= edge, f"{where}: {name}"
        assert box.right <= page.panel.width_mm - edge, f"{where}: {name}"
        for target in page.targets:
            assert not crossing(box, target.box), f"{where}: {name} {target.name}"
    for (name, box), (another, second) in combinations(standing, 2):
        assert not crossing(box, second), f"{where}: {name} {another}"
    for run in runs_of(page):
        assert len(run.lines) * run.leading <= run.box.h + 0.01, f"{where}: {run}"
        for line in run.lines:
            wide = MEASURE.width(line, run.em, run.bold, run.language)
            assert wide <= run.box.w + 0.02, f"{where}: {line!r} {wide:.2f} {run.box}"
        # A code's sixteen places decide how large its letters are.
        if run.name != "field" and not run.name.startswith("key."):
            assert run.em >= 0.73 * u - 0.01, f"{where}: {run}"
        if run.name == "title":
            assert run.em >= u - 0.01, f"{where}: {run}"
            assert run.bold


@on_every_panel
@everywhere
def test_every_screen_keeps_the_rules(panel: str, language: str) -> None:
    seen = set()
    for name, page in Screens(panel, language).every():
        if page.screen != "cleaning":
            check(page)
        seen.add(name)
    assert len(seen) > 40


@everywhere
def test_the_font_has_every_letter_that_is_shown(language: str) -> None:
    font = ImageFont.truetype(str(fonts().regular), 40)
    shown = {letter for text in staff(language).values() for letter in text}
    for _, page in Screens("10in-landscape", language).every():
        shown |= {letter for run in runs_of(page) for line in run.lines for letter in line}
    shown.discard(" ")
    missing = bytes(font.getmask("\U0010ffff"))
    assert [letter for letter in sorted(shown) if bytes(font.getmask(letter)) == missing] == []


@pytest.mark.parametrize("typed", ["1234", "••••", "●●●●"])
def test_a_pin_is_never_shown(typed: str) -> None:
    page = Screens("10in-landscape", "fi").keys("digits", typed, (), "pin")
    field = next(target for target in page.targets if target.name == "field")
    assert [run.lines for run in field.runs] == [("••••",)]
    assert typed not in field.label


@everywhere
def test_the_screens_of_the_modes_keep_their_words_at_full_size(language: str) -> None:
    made = Composer(bundle("10in-landscape"), MEASURE, LARGER)
    rows = (Row(staff(language)["service.device"], "varha-0074"),)
    actions = (Action("service.close", staff(language)["service.close"], primary=True),)
    page = made.staff(language, Sheet("service", "Huolto", rows=rows, actions=actions))
    check(page)
    assert all(run.em >= page.panel.u - 0.001 for run in runs_of(page))


@pytest.mark.parametrize(("kind", "keys"), [("code", CODE), ("address", ADDRESS)])
@on_every_panel
def test_every_character_can_be_typed_and_stands_where_it_is_looked_for(
    panel: str, kind: str, keys: str
) -> None:
    page = Screens(panel, "fi").keys(kind, "", (), "setup-code")
    check(page)
    assert sorted(keyed(page)) == sorted(keys)
    boxes = [t.box for t in page.targets if t.look == "key" and t.name != "key.⌫"]
    by_place = sorted(boxes, key=lambda box: (round(box.y), box.x))
    assert boxes == by_place
    if kind == "code":
        assert keyed(page).replace("⌫", "") == codes.ALPHABET


@on_every_panel
def test_digits_stand_as_on_a_telephone(panel: str) -> None:
    page = Screens(panel, "fi").keys("digits", "••", (), "pin")
    check(page)
    assert keyed(page) == "123456789" + "0⌫"
    boxes = {t.name: t.box for t in page.targets}
    assert boxes["key.1"].y == boxes["key.3"].y < boxes["key.4"].y
    assert boxes["key.0"].x == boxes["key.8"].x


@on_every_panel
@pytest.mark.parametrize("typed", ["", "K7QM", "K7QM-4T2P-9X__-____", "K7QM4T2P9XWB3HNA"])
def test_a_code_stands_in_one_line_of_four_groups_and_shows_the_next_place(
    panel: str, typed: str
) -> None:
    page = Screens(panel, "fi").keys("code", typed, (), "setup-code")
    field = next(target for target in page.targets if target.name == "field")
    assert "".join(run.lines[0] for run in field.runs) == codes.plain(typed)
    assert len({run.box.y for run in field.runs}) <= 1
    assert all(run.name == "field" and len(run.lines) == 1 for run in field.runs)
    places = sorted((mark.box.x, mark.kind) for mark in field.marks)
    assert len(places) == 16
    carets = [i for i, (_, kind) in enumerate(places) if kind == "caret"]
    assert carets == ([len(codes.plain(typed))] if len(codes.plain(typed)) < 16 else [])
    steps = [b[0] - a[0] for a, b in pairwise(places)]
    wider = [i for i, step in enumerate(steps) if step > min(steps) + 1.5]
    assert wider == [3, 7, 11]


@on_every_panel
def test_of_an_address_that_is_too_long_the_end_is_seen(panel: str) -> None:
    address = "https://" + "palaute." * 12 + "fi"
    page = Screens(panel, "fi").keys("address", address, (), "setup-endpoint")
    check(page)
    run = next(run for target in page.targets for run in target.runs if run.name == "field")
    assert len(run.lines) == 1
    assert run.lines[0].startswith("…")
    assert address.endswith(run.lines[0][1:])
    field = next(target for target in page.targets if target.name == "field")
    caret = next(mark.box for mark in field.marks if mark.kind == "caret")
    assert caret.x >= run.box.x + MEASURE.width(run.lines[0], run.em, False, "fi") - 0.01


@on_every_panel
def test_the_touch_test_reaches_the_corners_and_ticks_what_was_touched(panel: str) -> None:
    made = Screens(panel, "fi").composer
    page = made.corners("fi", "Kosketa kulmia", frozenset({"tl", "c"}), "3")
    boxes = {target.name: target.box for target in page.targets}
    w, h = page.panel.width_mm, page.panel.height_mm
    for name, x, y in (("tl", 0, 0), ("tr", w, 0), ("bl", 0, h), ("br", w, h)):
        assert boxes[f"corner.{name}"].holds(x, y, 4.0)
    assert boxes["corner.c"].holds(w / 2, h / 2)
    marks = {target.name: target.marks[0].kind for target in page.targets}
    assert {name for name, kind in marks.items() if kind == "tick"} == {"corner.tl", "corner.c"}


def page_through(made: Composer, sheet: Sheet) -> list[Page]:
    """All pages of a sheet; asserts that the page after the last is the first."""
    from dataclasses import replace

    first = made.staff("fi", sheet)
    if not any(target.name == "more" for target in first.targets):
        return [first]
    number = next(run for run in first.runs if run.name == "page").lines[0]
    count = int(number.split("/")[1])
    pages = [made.staff("fi", replace(sheet, page=page)) for page in range(count)]
    assert count > 1
    assert made.staff("fi", replace(sheet, page=count)) == first
    return pages


WORDS = st.text("aäekln 0:/.-", min_size=1, max_size=40).filter(lambda text: bool(text.strip()))
ROWS = st.lists(
    st.builds(Row, WORDS, st.just("") | WORDS, st.sampled_from(("", "ok", "wait", "bad"))),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(panel=st.sampled_from(list(STAFF_PANELS)), rows=ROWS)
def test_every_row_is_on_one_page_of_a_table_of_any_length(panel: str, rows: list[Row]) -> None:
    made = Screens(panel, "fi").composer
    actions = (Action("close", "Sulje", primary=True),)
    sheet = Sheet("service", "Huolto", rows=tuple(rows), actions=actions)
    pages = page_through(made, sheet)
    shown = []
    for page in pages:
        check(page)
        names = [run.name for run in page.runs]
        shown.append(len([name for name in names if name.count(".") == 1]))
    assert sum(shown) == len(rows)
    values = [name for page in pages for name in (r.name for r in page.runs) if "value" in name]
    assert len(values) == sum(1 for row in rows if row.value)
    marks = [m.kind for page in pages for m in page.marks if m.kind in ("tick", "ring", "alert")]
    kinds = {"ok": "tick", "wait": "ring", "bad": "alert"}
    assert marks == [kinds[row.state] for row in rows if row.state]


@settings(max_examples=25, deadline=None)
@example(panel="10in-portrait", count=73, noted=True)
@given(
    panel=st.sampled_from(list(STAFF_PANELS)),
    count=st.integers(1, 80),
    noted=st.booleans(),
)
def test_every_choice_is_on_one_page_of_a_list_of_any_length(
    panel: str, count: int, noted: bool
) -> None:
    made = Screens(panel, "fi").composer
    choices = tuple(
        Action(f"stick.{i}", f"varha-{i:04}", note="Salon terveysasema, Aula" if noted else "")
        for i in range(count)
    )
    pages = page_through(made, Sheet("setup-stick", "Mikä näistä?", choices=choices))
    found = []
    for page in pages:
        check(page)
        found += [target.name for target in page.targets if target.name.startswith("stick.")]
    assert found == [choice.name for choice in choices]
    sizes = {t.box.h for page in pages for t in page.targets if t.name.startswith("stick.")}
    assert max(sizes) - min(sizes) < 0.01


@settings(max_examples=12, deadline=None)
@given(
    width=st.floats(120, 700),
    shape=st.sampled_from(((16, 9), (9, 16), (16, 10), (10, 16), (4, 3), (3, 4))),
    language=st.sampled_from(STAFF_LANGUAGES),
)
@example(width=160.0, shape=(9, 16), language="fi")
def test_on_any_panel_a_screen_keeps_the_rules_or_says_what_does_not_fit(
    width: float, shape: tuple[int, int], language: str
) -> None:
    screen = Screen(width_px=120 * shape[0], height_px=120 * shape[1], width_mm=width)
    for _, page in Screens(screen, language).every():
        if not page.problems and page.screen != "cleaning":
            check(page)


def test_a_panel_of_seven_inches_says_that_it_is_too_small_and_is_still_composed() -> None:
    screens = Screens(SEVEN_INCH, "fi")
    page = screens.keys("code", "K7QM", (), "setup-code")
    assert any("smaller than 15 x 15 mm" in problem for problem in page.problems)
    assert sorted(keyed(page)) == sorted(CODE)
    start = dict(screens.every())["setup"]
    assert start.problems
    names = {target.name for target in start.targets}
    assert {"setup.type", "setup.stick", "setup.scan", "language.sv"} <= names


def test_other_languages_see_the_screens_for_staff_in_english() -> None:
    made = Screens("10in-landscape", "en").composer
    page = made.staff("ar", Sheet("service", "Service", actions=(Action("close", "Close"),)))
    assert page.language == "en"
    assert not page.rtl
    assert {run.align for run in page.runs} == {"left"}


def test_a_state_is_told_by_shape_and_not_by_colour_alone() -> None:
    made = Screens("10in-landscape", "fi").composer
    shapes = []
    for state in ("ok", "wait", "bad"):
        page = made.staff("fi", Sheet("check", "Tarkistus", rows=(Row("Verkko", "x", state),)))
        mark = next(mark for mark in page.marks if mark.kind in ("tick", "ring", "alert"))
        for dark in (False, True):
            image = draw(page, dark=dark)
            scale = page.panel.px_per_mm
            box = mark.box
            crop = (box.x * scale, box.y * scale, box.right * scale, box.bottom * scale)
            grey = image.crop(tuple(map(round, crop))).convert("L")  # type: ignore[arg-type]
            ground = image.convert("L").getpixel((1, 1))
            assert isinstance(ground, int)
            drawn = bytes(abs(value - ground) > 60 for value in grey.tobytes())
            assert any(drawn)
            shapes.append(drawn)
            hollow = sum(drawn) < len(drawn) / 2
            assert hollow == (state == "wait")
    assert len(set(shapes)) >= 3


def test_the_languages_name_themselves_and_the_present_one_is_marked() -> None:
    start = dict(Screens("10in-landscape", "sv").every())["setup"]
    names = {t.name: t for t in start.targets if t.name.startswith("language.")}
    assert [t.label for t in names.values()] == ["Suomi", "Svenska", "English"]
    assert [name for name, t in names.items() if t.current] == ["language.sv"]


def test_what_is_meant_stands_right_and_the_rest_left() -> None:
    page = dict(Screens("10in-landscape", "fi").every())["confirm-first"]
    boxes = {target.name: target.box for target in page.targets}
    assert boxes["confirm.no"].x == margin(page)
    assert boxes["confirm.yes"].right == pytest.approx(page.panel.width_mm - margin(page))


@pytest.mark.parametrize("language", ["fi", "sv", "en", "ar", "ru"])
def test_larger_leaves_room_for_five_faces_on_a_panel_of_135_6_mm(language: str) -> None:
    for page in every_page(STAFF_PANELS["10in-135.6"], language, LARGER):
        assert page.problems == ()


@pytest.mark.parametrize("wide", [136, 149, 151, 165, 179, 181, 187, 189, 205])
@pytest.mark.parametrize("kind", ["address", "code"])
def test_the_audit_asks_of_keys_what_the_layout_gives(kind: str, wide: int) -> None:
    panel = Screen(width_px=800, height_px=1280, width_mm=wide, height_mm=wide * 1.6)
    page = Screens(panel, "fi").keys(kind, "", (), f"setup-{kind}")
    asked = {figures.least_size(page, t, larger=False) for t in page.targets if t.look == "key"}
    given = min(t.box.w for t in page.targets if t.look == "key")
    assert page.problems == () and len(asked) == 1
    ((least, _),) = asked
    assert least - 0.05 <= given
