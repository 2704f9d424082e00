"""Choice lists: order, pages, groups."""

from __future__ import annotations

import msgspec
import pytest

from kiosk.layout.choice import sort_key
from kiosk.layout.compose import Composer
from sync.contract.bundle import LANGUAGES, Service
from tests.kiosk.layout.test_rules import check
from tests.kiosk.layout.world import MEASURE, PANELS, bundle, services, texts


def composed(
    found: tuple[Service, ...], panel: str = "10in-landscape", groups: int = 0
) -> Composer:
    words = {
        language: {**texts()[language], **{f"group.group-{n}": f"Ryhmä {n}" for n in range(groups)}}
        for language in LANGUAGES
    }
    return Composer(bundle(panel, services=found, texts=words), MEASURE)


def names(made: Composer, page: int = 0, group: str = "", language: str = "fi") -> list[str]:
    composed_page = made.choice(language, "service", page, group, dots=(1, 5))
    check(composed_page)
    return [
        target.name
        for target in composed_page.targets
        if target.name.split(".")[0] in ("choice", "group", "more")
    ]


@pytest.mark.parametrize(("panel", "cells"), [("10in-landscape", 8), ("10in-portrait", 7)])
def test_a_list_that_fits_has_no_more(panel: str, cells: int) -> None:
    made = composed(services(cells - 1), panel)
    assert names(made) == [*(f"choice.service-{n}" for n in range(cells - 1)), "choice.other"]


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_show_everything_once_and_more_goes_round(panel: str, language: str) -> None:
    made = composed(services(13), panel)
    first = names(made, 0, language=language)
    seen: list[str] = []
    for page in range(10):
        shown = names(made, page, language=language)
        if page and shown == first:
            break
        assert shown[-1] == "more"
        seen += shown[:-1]
    assert sorted(seen) == sorted([*(f"choice.service-{n}" for n in range(13)), "choice.other"])
    assert seen[-1] == "choice.other"


def test_more_keeps_its_place_on_a_last_page_that_is_not_full() -> None:
    made = composed(services(9))
    places = {
        next(t.box for t in made.choice("fi", "service", page).targets if t.name == "more")
        for page in (0, 1)
    }
    assert len(places) == 1


def test_above_fourteen_services_groups_come_first() -> None:
    made = composed(services(15, groups=3), groups=3)
    assert names(made) == ["group.group-0", "group.group-1", "group.group-2", "choice.other"]
    inside = names(made, group="group-1")
    assert inside == [*(f"choice.service-{n}" for n in (1, 10, 13, 4, 7)), "choice.other"]
    page = made.choice("fi", "service", group="group-1")
    assert next(run for run in page.runs if run.name == "question").lines == ("Ryhmä 1",)
    assert "choice.service-0" in names(composed(services(14, groups=3), groups=3))


def test_names_are_in_the_alphabet_of_the_language_shown() -> None:
    words = ["Öhkö", "Zoo", "Äiti", "Åbo", "Eesti", "Épée", "apteekki"]
    in_finnish = sorted(words, key=lambda word: sort_key(word, "fi"))
    assert in_finnish == ["apteekki", "Eesti", "Épée", "Zoo", "Åbo", "Äiti", "Öhkö"]
    in_english = sorted(words, key=lambda word: sort_key(word, "en"))
    assert in_english == ["Åbo", "Äiti", "apteekki", "Eesti", "Épée", "Öhkö", "Zoo"]
    assert sorted("яїієґге", key=lambda letter: sort_key(letter, "uk")) == list("гґеєіїя")


def test_a_name_too_long_for_its_cell_is_shown_by_its_short_name() -> None:
    long = Service(
        id="long",
        name={"fi": "Erikoissairaanhoidon poliklinikat ja leikkausyksiköt " * 3},
        short_name={"fi": "Poliklinikat"},
    )
    page = composed((long, *services(2))).choice("fi", "service")
    check(page)
    shown = next(target for target in page.targets if target.name == "choice.long")
    assert shown.runs[0].lines == ("Poliklinikat",)


def test_the_respondent_list_keeps_its_order() -> None:
    page = composed(services(2)).choice("sv", "respondent")
    check(page)
    assert [t.name for t in page.targets if t.look == "list"] == [
        "choice.self",
        "choice.on-behalf",
        "choice.child",
    ]


def test_only_the_services_given_here_are_offered() -> None:
    plain = bundle(services=services(5))
    here = msgspec.structs.replace(plain.location, services=("service-3", "service-1"))
    made = Composer(msgspec.structs.replace(plain, location=here), MEASURE)
    assert names(made) == ["choice.service-1", "choice.service-3", "choice.other"]


@pytest.mark.parametrize("panel", PANELS)
def test_larger_turns_no_more_pages_than_rows_of_24_mm_ask_for(panel: str) -> None:
    listed = bundle(panel, services=services(8))
    for language in LANGUAGES:
        usual, larger = (
            [
                target
                for target in Composer(listed, MEASURE, modes).choice(language, "service").targets
                if target.look == "list"
            ]
            for modes in (frozenset[str](), frozenset({"larger"}))
        )
        assert all(target.box.h >= 24 for target in larger)
        assert len(larger) >= 5
        if panel.startswith("21in"):
            assert len(larger) == len(usual)
