"""The page in a real browser, as a manager meets it on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.site import NAME, PASSWORD, Site

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SENTENCE = {
    "fi": ("NPS 72 (62–80), tavoite 80.", "sattuman rajoissa."),
    "sv": ("NPS 72 (62–80), mål 80.", "inom slumpens gränser."),
    "en": ("NPS 72 (62–80), target 80.", "within chance."),
}
CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const read = text => text.match(/[\\d.]+/g).map(Number);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('svg') || !element.checkVisibility())
      continue;
    const style = getComputedStyle(element);
    let at = element, ground = [0, 0, 0, 0];
    while (at) {
      ground = read(getComputedStyle(at).backgroundColor);
      if (ground.length === 3 || ground[3] > 0) break;
      at = at.parentElement;
    }
    const a = light(read(style.color)), b = light(ground);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.push([walker.currentNode.data, ratio]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield found
        found.close()


class Watched:
    """A page, what its console said, and where it asked for anything."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
        self.page: Page = self.context.new_page()
        self.site = site
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", lambda request: self.said.append(f"failed {request.url}"))
        self.page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))

    def sign_in(self) -> Page:
        self.page.goto(f"{self.site.url}/login")
        self.page.fill("#name", NAME)
        self.page.fill("#password", PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_url(f"{self.site.url}/")
        return self.page

    def calm(self) -> None:
        """Nothing was refused, nothing failed, nothing came from elsewhere."""
        assert self.said == []
        assert self.asked == {urlsplit(self.site.url).netloc}
        self.context.close()


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
        page.click(f"table.units th.c-{column} a")
        cells = page.locator(f"table.units tbody td.c-{column}").all_inner_texts()
        figures[column] = [
            float(c.split("\n")[0].replace("\u2212", "-").replace(",", ".").replace("\u00a0", ""))
            for c in cells
        ]
        assert figures[column] == sorted(figures[column], reverse=True), column
        assert page.locator(f"th.c-{column}").get_attribute("aria-sort") == "descending"
    page.click("table.units th.c-nps a")
    turned = page.locator("table.units tbody td.c-mean").all_inner_texts()
    assert page.locator("th.c-nps").get_attribute("aria-sort") == "ascending"
    assert len(turned) == 6
    for by, heading in (("device", "Laite"), ("municipality", "Kunta"), ("service", "Palvelu")):
        page.click(f"section#where nav a[href*='by={by}']")
        assert page.locator("table.units thead th").first.inner_text().startswith(heading)
        # The order chosen stays.
        assert page.locator("th.c-nps").get_attribute("aria-sort") == "ascending"
    assert "ei ilmoitettu" in page.locator("table.units").inner_text()
    watched.calm()


def test_period_language_and_leaving(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county)
    page = watched.sign_in()
    assert page.locator("html").get_attribute("lang") == "en"
    page.click("nav.languages a[lang=sv]")
    page.fill("#from", "2025-09-01")
    page.fill("#to", "2025-09-30")
    page.click("nav.filter button")
    assert page.locator(".summary .eyebrow").inner_text() == "1–30.9.2025"
    # The language stays, and so does the period when another language is chosen.
    assert page.locator("html").get_attribute("lang") == "sv"
    page.click("nav.languages a[lang=fi]")
    assert page.locator(".summary .eyebrow").inner_text() == "1.–30.9.2025"
    page.click("text=vuoden takaiseen")
    assert "1.–30.9.2024" in page.locator(".remarks").inner_text()
    page.click("text=kuukausittain")
    assert "vko" not in page.locator("section#trend svg >> visible=true").inner_html()
    with page.expect_download() as download:
        page.click(".export a:has-text('CSV') >> nth=0")
    assert download.value.suggested_filename == "hymio-location.csv"
    page.click(".sign-out button")
    assert page.locator("h1").inner_text() == "Kirjaudu"
    page.goto(county.url)
    assert page.url.endswith("/login")
    watched.calm()


def test_device_health_accounts_for_every_answer(browser: Browser, county: Site) -> None:
    watched = Watched(browser, county)
    page = watched.sign_in()
    rows = page.locator("table.devices tbody tr, table.devices tfoot tr").all()
    assert len(rows) == 11
    for row in rows:
        created, *parts = (
            int(cell.replace(",", "")) for cell in row.locator("td.n").all_inner_texts()
        )
        assert created == sum(parts)
    # What needs somebody stands first.
    first = page.locator("table.devices tbody tr").first.inner_text()
    assert "silent" in first
    assert "oldest unsent 16 Nov 2025" in first
    assert page.locator("text=not yet enrolled").is_visible()
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
    page.click("button.primary")
    assert page.locator("[role=alert]").inner_text() == "Käyttäjätunnus tai salasana on väärin."
    assert page.input_value("#name") == NAME
    assert page.input_value("#password") == ""
    assert page.evaluate(CONTRAST) == []
    page.goto(f"{county.url}/nowhere")
    assert page.locator("h1").inner_text() == "Sivua ei ole"
    # The browser itself notes the two status codes; the policy refused nothing.
    assert all("status of 40" in line for line in watched.said)
    watched.context.close()
