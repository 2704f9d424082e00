"""The page in a real browser, as a manager meets it on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from playwright.sync_api import Browser, Page

from tests.web.chromium import CONTRAST, DESK, PHONE, Watched
from tests.web.site import NAME, Site

pytestmark = pytest.mark.browser

SENTENCE = {
    "fi": ("NPS 72 (62–80), tavoite 80.", "sattuman rajoissa."),
    "sv": ("NPS 72 (62–80), mål 80.", "inom slumpens gränser."),
    "en": ("NPS 72 (62–80), target 80.", "within chance."),
}


def names(page: Page) -> list[str]:
    """The units in the order of the comparison."""
    return [
        text.split("\n")[0].strip()
        for text in page.locator("table.units tbody th").all_inner_texts()
    ]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_page_is_whole_in_every_language(
    browser: Browser, county: Site, language: str, viewport: dict[str, int]
) -> None:
    watched = Watched(browser, county, viewport=viewport)
    page = watched.sign_in()
    page.goto(f"{county.url}/?language={language}")
    first, last = SENTENCE[language]
    heading = page.locator("h1").inner_text()
    assert heading.startswith(first)
    assert heading.endswith(last)
    assert page.locator("html").get_attribute("lang") == language
    for section in ("summary", "trend", "where", "what", "devices"):
        assert page.locator(f"section#{section}").is_visible()
    for section in ("summary", "trend", "where", "what"):
        charts = page.locator(f"section#{section} svg[role=img]")
        shown = [chart for chart in charts.all() if chart.is_visible()]
        assert shown, section
        for chart in shown:
            assert chart.get_attribute("aria-label")
    # Nothing sticks out sideways, nothing is too pale to read.
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(CONTRAST) == []
    for summary in page.locator("details > summary").all():
        summary.click()
    assert page.locator("section#trend details table").is_visible()
    assert page.locator("section#what details table").is_visible()
    watched.calm()


def test_it_all_works_without_script(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county, java_script_enabled=False)
    page = watched.sign_in()
    page.goto(f"{county.url}/?language=fi&period=twelve-months")
    assert names(page) == sorted(names(page))
    figures = {}
    for column in ("count", "mean", "nps"):
        watched.follow(f"table.units th.c-{column} a")
        cells = page.locator(f"table.units tbody td.c-{column}").all_inner_texts()
        figures[column] = [
            float(c.split("\n")[0].replace("\u2212", "-").replace(",", ".").replace("\u00a0", ""))
            for c in cells
        ]
        assert figures[column] == sorted(figures[column], reverse=True), column
        assert page.locator(f"th.c-{column}").get_attribute("aria-sort") == "descending"
    watched.follow("table.units th.c-nps a")
    turned = page.locator("table.units tbody td.c-mean").all_inner_texts()
    assert page.locator("th.c-nps").get_attribute("aria-sort") == "ascending"
    assert len(turned) == 6
    for by, heading in (("device", "Laite"), ("municipality", "Kunta"), ("service", "Palvelu")):
        watched.follow(f"section#where nav a[href*='by={by}']")
        assert page.locator("table.units thead th").first.inner_text().startswith(heading)
        # The order chosen stays.
        assert page.locator("th.c-nps").get_attribute("aria-sort") == "ascending"
    assert "ei ilmoitettu" in page.locator("table.units").inner_text()
    watched.calm()


def test_period_language_and_leaving(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county)
    page = watched.sign_in()
    assert page.locator("html").get_attribute("lang") == "en"
    watched.follow("nav.languages a[lang=sv]")
    page.fill("#from", "2025-09-01")
    page.fill("#to", "2025-09-30")
    watched.follow("nav.filter button")
    assert page.locator(".summary .eyebrow").inner_text() == "1–30.9.2025"
    # The language stays, and so does the period when another language is chosen.
    assert page.locator("html").get_attribute("lang") == "sv"
    watched.follow("nav.languages a[lang=fi]")
    assert page.locator(".summary .eyebrow").inner_text() == "1.–30.9.2025"
    watched.follow("text=vuoden takaiseen")
    assert "1.–30.9.2024" in page.locator(".remarks").inner_text()
    watched.follow("text=kuukausittain")
    assert "vko" not in page.locator("section#trend svg >> visible=true").inner_html()
    with page.expect_download() as download:
        page.click(".export a:has-text('CSV') >> nth=0")
    assert download.value.suggested_filename == "hymio-location.csv"
    watched.follow(".sign-out button")
    assert page.locator("h1").inner_text() == "Kirjaudu"
    page.goto(county.url)
    assert page.url.endswith("/login")
    watched.calm()


def test_the_devices_in_short_lead_to_the_devices_in_full(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county)
    page = watched.sign_in()
    assert page.locator(".fleet-line").inner_text().startswith("10 devices: ")
    assert page.locator(".worried a").first.inner_text() == "Mäntsälän, aula"
    watched.follow("section#devices a:has-text('1 never enrolled')")
    assert page.locator("table.fleet tbody th a").all_inner_texts() == ["Nurmijärvi, aula"]
    watched.follow("nav.pages a[href='/']")
    watched.follow("section#devices a.button")
    assert page.locator("table.fleet tbody tr").count() == 10
    watched.calm()


def test_a_centre_without_answers_says_what_to_do(
    browser: Browser, serve: Callable[..., AbstractContextManager[Site]]
) -> None:
    with serve(answers=False) as site:
        watched = Watched(browser, site)
        page = watched.sign_in()
        assert page.locator("h1").inner_text() == "No answers in this period"
        assert "No answers have arrived yet" in page.locator("section#summary").inner_text()
        assert page.locator("section#devices").is_visible()
        assert page.evaluate(CONTRAST) == []
        watched.calm()


def test_on_paper_only_the_numbers_are_left(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county)
    page = watched.sign_in()
    page.emulate_media(media="print")
    for gone in (".filter", ".sign-out", ".languages", ".export"):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.locator("table.units").is_visible()
    assert page.pdf(format="A4", print_background=True).startswith(b"%PDF")
    watched.calm()


def test_wrong_password_and_wrong_address_stay_calm(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county, viewport=PHONE)
    page = watched.page
    page.goto(f"{county.url}/login?language=fi")
    page.fill("#name", NAME)
    page.fill("#password", "väärä salasana")
    watched.follow("button.primary")
    assert page.locator("[role=alert]").inner_text() == "Käyttäjätunnus tai salasana on väärin."
    assert page.input_value("#name") == NAME
    assert page.input_value("#password") == ""
    assert page.evaluate(CONTRAST) == []
    page.goto(f"{county.url}/nowhere")
    assert page.locator("h1").inner_text() == "Sivua ei ole"
    # The browser itself notes the two status codes; the policy refused nothing.
    assert all("status of 40" in line for line in watched.said)
    watched.context.close()
