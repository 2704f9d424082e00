"""What was painted is kept: the same pixels, within bounds, and only of pages shown again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.layout.page import Page
from kiosk.ui.pages import Pages
from kiosk.ui.pictures import Pictures
from tests.ui.stage import bundle

MODES = frozenset[str]()


@pytest.fixture(scope="module")
def pages() -> Pages:
    return Pages(bundle(), (640, 400))


@pytest.fixture(scope="module")
def some(pages: Pages) -> list[Page]:
    question = pages.bundle.survey.statements[0].id
    return [pages.page(MODES, "face", "fi", question, n, 9) for n in range(5)]


def test_a_page_and_its_targets_come_back_as_they_were(pages: Pages, some: list[Page]) -> None:
    kept, painter = Pictures(), pages.painter(MODES)
    assert kept.page(some[0], painter) is None and not kept.has(some[0], painter)
    kept.keep_page(some[0], painter, b"page")
    kept.keep_target(some[0], painter, "face.1", "pressed", b"pressed")
    assert kept.page(some[0], painter) == b"page" and kept.has(some[0], painter)
    assert kept.target(some[0], painter, "face.1", "pressed") == b"pressed"
    assert kept.target(some[0], painter, "face.1", "chosen") is None
    assert kept.target(some[0], painter, "face.2", "pressed") is None
    assert kept.page(some[1], painter) is None
    assert kept.page(some[0], pages.painter(frozenset({"dark"}))) is None


def test_the_target_of_a_page_that_is_not_kept_is_not_kept(pages: Pages, some: list[Page]) -> None:
    kept, painter = Pictures(), pages.painter(MODES)
    kept.keep_target(some[0], painter, "face.1", "pressed", b"pressed")
    kept.keep_page(some[0], painter, b"page")
    assert kept.target(some[0], painter, "face.1", "pressed") is None


def test_what_was_used_longest_ago_goes_first(pages: Pages, some: list[Page]) -> None:
    kept, painter = Pictures(pages=3), pages.painter(MODES)
    for page in some[:3]:
        kept.keep_page(page, painter, b"page")
    assert kept.has(some[0], painter)
    kept.keep_page(some[3], painter, b"page")
    assert [kept.has(page, painter) for page in some[:4]] == [True, False, True, True]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["", "face.1", "face.2"]), st.integers(0, 900))
    )
)
def test_no_more_bytes_than_allowed(
    pages: Pages, some: list[Page], steps: list[tuple[int, str, int]]
) -> None:
    kept, painter = Pictures(most=1500), pages.painter(MODES)
    last: dict[tuple[int, str], bytes] = {}
    for n, (number, name, size) in enumerate(steps):
        pixels = random.Random(n).randbytes(size)
        if not name:
            kept.keep_page(some[number], painter, pixels)
            last[number, ""] = pixels
            last = {key: held for key, held in last.items() if key[0] != number or not key[1]}
        elif kept.target(some[number], painter, name, "pressed") is None:
            kept.keep_target(some[number], painter, name, "pressed", pixels)
            last[number, name] = pixels
        held = 0
        for page_number, page in enumerate(some):
            for key in ("", "face.1", "face.2"):
                found = (
                    kept.target(page, painter, key, "pressed") if key else kept.page(page, painter)
                )
                if found is not None:
                    assert found == last[page_number, key]
                    held += len(found)
        # Random bytes cannot be packed: what comes back is about what is held.
        assert held <= 1500
