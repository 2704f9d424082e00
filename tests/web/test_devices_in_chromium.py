"""The fleet page in a real browser, as IT meets it at a desk, and on a phone beside a device."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page

from sync.collector.store import tables as t
from tests.web.chromium import CONTRAST, DESK, PHONE, Watched
from tests.web.fleet import STATES
from tests.web.site import Site

pytestmark = pytest.mark.browser

WIDTHS = (1280, 1241, 1240, 961, 960, 721, 720, 390, 320)
"""Desk, both sides of where the design changes, phone, and the least WCAG asks for."""
TIGHTEST = (1241, 961, 721, 320)
"""The narrowest of each design: words that fit here fit at the others."""
SMALLEST = {"width": 320, "height": 640}
"""WCAG 1.4.10: nothing may need scrolling in two directions here."""


def devices(page: Page) -> list[str]:
    """Ids in the order shown."""
    return page.locator("table.fleet tbody th .sub").all_inner_texts()


def sticks_out(page: Page) -> list[str]:
    """What reaches past the window's edge, or hides under something's own edge."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')]
          .filter(e => e.checkVisibility() && !e.closest('.unseen, thead') && !e.closest('select'))
          .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
          .map(e => `${e.className || e.tagName}: ${e.textContent.trim().slice(0, 40)}`)"""
    )
    return found


def test_the_pages_are_whole_in_every_language(browser: Browser, fleet: Site) -> None:
    watched = Watched(browser, fleet)
    page = watched.sign_in()
    for language in ("fi", "sv", "en"):
        for path in ("/devices", "/devices/mantsala-1", "/devices/nurmijarvi-1"):
            page.goto(f"{fleet.url}{path}?language={language}")
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1
            for width in WIDTHS if language == "fi" else TIGHTEST:
                page.set_viewport_size({"width": width, "height": 800})
                assert sticks_out(page) == [], (language, path, width)
                scrolled = page.evaluate("document.documentElement.scrollWidth")
                assert scrolled <= width, (language, path)
            assert page.evaluate(CONTRAST) == []
    watched.calm()


def test_it_all_works_without_script(browser: Browser, fleet: Site) -> None:
    watched = Watched(browser, fleet, java_script_enabled=False)
    page = watched.sign_in()
    watched.follow("nav.pages a >> nth=1")
    assert devices(page)[0] == "jarvenpaa-2"
    head = page.locator("table.fleet thead th")
    assert head.nth(2).get_attribute("aria-sort") == "ascending"
    for column, link, way in (
        (0, "Device", "ascending"),
        (0, "Device", "descending"),
        (0, "id", "ascending"),
        (10, "To send", "descending"),
        (3, "Contact", "ascending"),
    ):
        watched.follow(head.nth(column).get_by_role("link", name=link, exact=True))
        sorted_by = [cell.get_attribute("aria-sort") for cell in head.all()]
        assert sorted_by[column] == way, link
        assert sorted_by.count(None) == len(sorted_by) - 1
        if link == "id":
            assert devices(page) == sorted(STATES)
    page.fill("#text", "aula")
    page.select_option("#municipality", "Järvenpää")
    watched.follow(".choose button")
    assert devices(page) == ["jarvenpaa-1"]
    assert page.locator("#list-title").inner_text() == "1 of 13 devices"
    assert page.input_value("#text") == "aula"
    # The order chosen stays, and so does the filter when another language is chosen.
    assert head.nth(3).get_attribute("aria-sort") == "ascending"
    watched.follow("nav.languages a[lang=sv]")
    assert devices(page) == ["jarvenpaa-1"]
    watched.follow("text=Visa alla")
    assert len(devices(page)) == len(STATES)
    watched.follow("h1 a:has-text('1 tyst')")
    assert devices(page) == ["mantsala-1"]
    with page.expect_download() as download:
        page.click(".export a:has-text('CSV')")
    assert download.value.suggested_filename == "hymio-devices.csv"
    watched.follow("table.fleet tbody th a")
    assert page.locator("h1").inner_text().startswith("Mäntsälän, aula")
    watched.follow("text=Alla terminaler")
    assert len(devices(page)) == len(STATES)
    watched.calm()


@pytest.mark.parametrize("viewport", [DESK, SMALLEST], ids=["desk", "smallest"])
def test_the_table_stays_a_table_for_those_who_do_not_see_it(
    browser: Browser, fleet: Site, viewport: dict[str, int]
) -> None:
    watched = Watched(browser, fleet, viewport=viewport)
    page = watched.sign_in()
    page.goto(f"{fleet.url}/devices?sort=id")
    table = page.get_by_role("table", name="All devices")
    assert table.get_by_role("row").count() == len(STATES) + 2
    assert table.get_by_role("rowheader").count() == len(STATES) + 1
    assert table.get_by_role("columnheader").count() == 12
    locked = table.get_by_role("row", name="Keravan, aula")
    assert "◆" not in locked.inner_text()  # the shape is not read out; its word is
    assert locked.get_by_text("in contact").is_visible()
    # How long ago for the eye, the moment itself for the pointer and for speech.
    contact = locked.locator("time").first
    assert contact.get_attribute("title") == "19 Nov 2025 14:29"
    assert contact.text_content() == "20\u00a0s ago (19 Nov 2025 14:29)"
    for name in ("Search", "State", "Municipality", "Sort by", "Direction"):
        assert page.get_by_label(name, exact=True).is_visible()
    page.get_by_label("Search", exact=True).focus()
    for _ in range(5):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    watched.calm()


def test_figures_stand_in_line(browser: Browser, fleet: Site) -> None:
    watched = Watched(browser, fleet)
    page = watched.sign_in()
    page.goto(f"{fleet.url}/devices")
    for column in range(6):
        edges = page.evaluate(
            """column => [...document.querySelectorAll('table.fleet tr')]
              .map(row => row.querySelectorAll('.n')[column])
              .map(cell => {
                const range = document.createRange(); range.selectNodeContents(cell);
                const style = getComputedStyle(cell);
                return [style.textAlign, style.fontVariantNumeric,
                        Math.round(cell.getBoundingClientRect().right)].join(' ');
              })""",
            column,
        )
        assert len(set(edges)) == 1, edges
        assert edges[0].startswith("right tabular-nums")
    watched.calm()


def test_every_state_has_a_shape_as_well_as_a_colour(browser: Browser, fleet: Site) -> None:
    watched = Watched(browser, fleet)
    page = watched.sign_in()
    page.goto(f"{fleet.url}/devices")
    shapes = {}
    for kind in ("good", "worry", "wait", "over"):
        mark = page.locator(f".f-state .state-{kind}").first
        shapes[kind] = mark.evaluate(
            """e => { const s = getComputedStyle(e, '::before');
              const filled = s.backgroundColor !== 'rgba(0, 0, 0, 0)';
              return [filled, s.borderRadius, s.transform, s.height].join(' '); }"""
        )
    assert len(set(shapes.values())) == 4, shapes
    watched.calm()


def test_cards_name_every_value(browser: Browser, fleet: Site) -> None:
    watched = Watched(browser, fleet, viewport=PHONE)
    page = watched.sign_in()
    page.goto(f"{fleet.url}/devices?text=hyvinkaa-2")
    assert not page.locator("table.fleet thead").is_visible() or (
        page.locator("table.fleet thead").evaluate("e => e.getBoundingClientRect().right") < 0
    )
    labels = page.locator("table.fleet tbody td").evaluate_all(
        "all => all.map(e => getComputedStyle(e, '::before').content)"
    )
    assert [label.replace("\u00ad", "") for label in labels[2:]] == [
        *('"Last contact"', '"Configuration"', '"Created"', '"Acknowledged"', '"Quarantined"'),
        *('"Held"', '"Lost"', '"To send"', '"Service screen"'),
    ]
    watched.calm()


def test_a_centre_without_devices_stays_calm(browser: Browser, site: Site) -> None:
    with sa.create_engine(site.database).begin() as db:
        for table in (t.devices, t.epochs):
            db.execute(table.delete())
    watched = Watched(browser, site, viewport=PHONE)
    page = watched.sign_in()
    assert page.locator("section#devices code").inner_text() == "hymio fleet publish"
    page.goto(f"{site.url}/devices")
    assert page.locator("h1").inner_text() == "No devices yet"
    assert page.locator("table").count() == 0
    assert page.evaluate(CONTRAST) == []
    watched.calm()
