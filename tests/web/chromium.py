"""A page in a real browser, watched."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, Request

from tests.web.site import NAME, PASSWORD, Site

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
PATIENCE_MS = 120_000
"""For a browser and its pages: long, since a busy machine must not look like a broken page."""
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


class Watched:
    """A page, what its console said, and where it asked for anything."""

    def __init__(self, browser: Browser, site: Site, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, "locale": "en-GB", **options})
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.site = site
        self.said: list[str] = []
        self.asked: set[str] = set()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))

    def _failed(self, request: Request) -> None:
        # What the next page cut off has not failed.
        if request.failure != "net::ERR_ABORTED":
            self.said.append(f"failed {request.url}: {request.failure}")

    def sign_in(self) -> Page:
        self.page.goto(f"{self.site.url}/login")
        self.page.fill("#name", NAME)
        self.page.fill("#password", PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_url(f"{self.site.url}/")
        return self.page

    def follow(self, link: str | Locator) -> None:
        """Click what leads to another page, and wait for it."""
        with self.page.expect_navigation():
            (self.page.locator(link) if isinstance(link, str) else link).click()

    def calm(self) -> None:
        """Nothing was refused, nothing failed, nothing came from elsewhere."""
        assert self.said == [], self.said
        assert self.asked == {urlsplit(self.site.url).netloc}
        self.context.close()
