"""Facts with dates: what was called or placed otherwise, and services that begin, end and merge."""

from __future__ import annotations

import datetime as dt

import pytest

from kiosk.fleet.explain import explain
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from sync.contract.bundle import Bundle
from tests.kiosk.fleet.county import County

TODAY = dt.date(2026, 5, 1)
DEVICE = "devices/esim-0001.toml"
PLACE = "locations/0003.toml"
SERVICES = "services.toml"
LAST = 'merged_into = "mental-health"\n'


def bundle(county: County, device: str, today: dt.date = TODAY) -> Bundle:
    return build(Tree.load(county.root, today=today), device)


def told(county: County, severity: str = "error") -> list[tuple[str, str, str]]:
    return [
        (problem.file, problem.key, problem.what)
        for problem in county.problems(TODAY)
        if problem.severity == severity
    ]


def add(county: County, file: str, text: str) -> None:
    with (county.root / file).open("a", encoding="utf-8") as out:
        out.write("\n" + text + "\n")


FAULTS = [
    (PLACE, '[[was]]\nuntil = "2026-02-30"\nmunicipality = "A"', "was[0].until", "not a day"),
    (PLACE, '[[was]]\nuntil = "28.2.2026"\nmunicipality = "A"', "was[0].until", 'is "28.2.2026"'),
    (PLACE, '[[was]]\nuntil = 2026-02-28\nmunicipality = "A"', "was[0].until", "is 2026-02-28"),
    (PLACE, '[[was]]\nuntil = "2026-05-02"\nmunicipality = "A"', "was[0].until", "still to come"),
    (PLACE, '[[was]]\nuntil = "2026-02-01"', "was[0]", "says nothing"),
    (PLACE, '[[was]]\nmunicipality = "A"', "was[0].until", "is missing"),
    (PLACE, '[[was]]\nuntil = "2026-02-01"\nnam = 1', "was[0].nam", "unknown key"),
    (
        PLACE,
        '[[was]]\nuntil = "2026-02-01"\nname = { xx = "A" }',
        "was[0].name.xx",
        "not a language",
    ),
    (
        PLACE,
        '[[was]]\nuntil = "2026-02-01"\nmunicipality = "A"\n[[was]]\nuntil = "2026-02-01"\n'
        'municipality = "B"',
        "was[1].until",
        "does not come after",
    ),
    (DEVICE, '[[was]]\nuntil = "2027-02-01"\nlocation = "0007"', "was[0].until", "still to come"),
    (DEVICE, '[[was]]\nuntil = "2026-02-01"\nlocation = 7', "was[0].location", "is 7"),
    (SERVICES, 'from = "2025-04-01"', "service[16].until", "before `from`"),
    (SERVICES, 'from = "1.4.2025"', "service[16].from", "is"),
    (SERVICES, 'from = "2025-02-29"', "service[16].from", "not a day"),
    (
        SERVICES,
        'from = "2024-01-01"\n[[service.was]]\nuntil = "2023-01-01"\nname = { fi = "A" }',
        "service[16].was[0].until",
        "before the service began",
    ),
    (
        SERVICES,
        '[[service]]\nid = "x"\nname = { fi = "A", sv = "A", en = "A" }\nmerged_into = "dental"',
        "service[17].merged_into",
        "no last day",
    ),
]


@pytest.mark.parametrize(("file", "text", "key", "what"), FAULTS, ids=[f[2] for f in FAULTS])
def test_a_dated_fact_that_is_wrong_is_said(
    county: County, file: str, text: str, key: str, what: str
) -> None:
    add(county, file, text)
    assert [(f, k) for f, k, w in told(county) if what in w] == [(file, key)], told(county)


@pytest.mark.parametrize(
    ("into", "what"),
    [
        ("substance-abuse", "is the service itself"),
        ("mental-healt", 'there is no service "mental-healt"'),
    ],
)
def test_a_service_merged_into_none_is_said_with_the_nearest(
    county: County, into: str, what: str
) -> None:
    county.edit(SERVICES, 'merged_into = "mental-health"', f'merged_into = "{into}"')
    (error,) = county.errors()
    assert (error.key, error.what) == ("service[16].merged_into", what)
    assert into != "mental-healt" or "did you mean mental-health?" in error.remedy


def test_services_merged_in_a_circle_are_said(county: County) -> None:
    county.edit(
        SERVICES,
        'id = "mental-health"\n',
        'id = "mental-health"\nuntil = "2025-01-01"\nmerged_into = "substance-abuse"\n',
    )
    circle = "goes in a circle: mental-health → substance-abuse → mental-health"
    assert (SERVICES, "service[2].merged_into", circle) in told(county)


def test_a_service_merged_into_one_that_has_ended_is_said(county: County) -> None:
    county.edit(SERVICES, 'id = "mental-health"\n', 'id = "mental-health"\nuntil = "2025-01-01"\n')
    assert any(key == "service[16].merged_into" and "ends on" in w for _, key, w in told(county))


def test_a_place_that_is_gone_may_still_be_named_in_a_device_s_past(county: County) -> None:
    add(county, DEVICE, '[[was]]\nuntil = "2026-02-01"\nlocation = "0001"')
    assert told(county) == []
    assert told(county, "warning") == [
        (DEVICE, "was[0].location", 'there is no location "0001" any more')
    ]


def test_a_municipality_that_is_not_listed_is_said_with_the_nearest(county: County) -> None:
    county.edit(PLACE, 'municipality = "Mallikaupunki"', 'municipality = "Mallikapunki"')
    (error,) = county.errors()
    assert (error.key, "did you mean Mallikaupunki?" in error.remedy) == ("municipality", True)
    county.edit("organisation.toml", 'municipalities = ["Honkakoski"', '# ["Honkakoski"')
    assert county.errors() == []


# --- what devices offer ---------------------------------------------------------------------------


def offered(county: County, device: str, today: dt.date) -> list[str]:
    return [service.id for service in bundle(county, device, today).services]


def test_a_merged_service_is_offered_to_its_last_day_and_no_longer(county: County) -> None:
    assert "substance-abuse" in offered(county, "esim-0003", dt.date(2025, 3, 31))
    after = offered(county, "esim-0003", dt.date(2025, 4, 1))
    assert "substance-abuse" not in after
    assert len(after) == 16


def test_a_place_that_lists_a_merged_service_offers_the_one_that_goes_on(county: County) -> None:
    county.edit(PLACE, '"laboratory"]', '"substance-abuse", "laboratory"]')
    before = bundle(county, "esim-0001", dt.date(2025, 3, 31)).location.services
    after = bundle(county, "esim-0001").location.services
    assert before == ("health-station", "dental", "substance-abuse", "laboratory")
    assert after == ("health-station", "dental", "mental-health", "laboratory")
    assert {service.id for service in bundle(county, "esim-0001").services} == set(after)


def test_a_place_that_lists_both_offers_the_one_that_goes_on_once(county: County) -> None:
    county.edit(PLACE, '"laboratory"]', '"mental-health", "substance-abuse"]')
    place = bundle(county, "esim-0001").location
    assert place.services == ("health-station", "dental", "mental-health")


def test_a_service_is_offered_from_its_first_day_on(county: County) -> None:
    county.edit(SERVICES, 'id = "home-care"\n', 'id = "home-care"\nfrom = "2026-06-01"\n')
    assert "home-care" not in offered(county, "esim-0003", dt.date(2026, 5, 31))
    assert "home-care" in offered(county, "esim-0003", dt.date(2026, 6, 1))


def test_a_place_whose_services_have_all_ended_is_a_warning_and_asks_for_none(
    county: County,
) -> None:
    county.edit(SERVICES, 'id = "family-centre"\n', 'id = "family-centre"\nuntil = "2026-01-01"\n')
    assert told(county, "warning") == [
        (
            "locations/0024.toml",
            "services",
            "none of them is offered today: answers here belong to no service",
        )
    ]
    assert bundle(county, "esim-0009").services == ()


def test_orders_to_a_device_are_in_its_configuration(county: County) -> None:
    assert (bundle(county, "esim-0001").key_generation, bundle(county, "esim-0001").wipe) == (
        0,
        False,
    )
    county.edit(DEVICE, 'id = "esim-0001"', 'id = "esim-0001"\nkey_generation = 2\nwipe = true')
    county.edit("organisation.toml", "[endpoint]", '[endpoint]\ncentre = "varha-1"')
    found = bundle(county, "esim-0001")
    assert (found.key_generation, found.wipe, found.endpoint.centre) == (2, True, "varha-1")


@pytest.mark.parametrize("key", ["wipe = true", "key_generation = 1"])
def test_orders_are_for_one_device_alone(county: County, key: str) -> None:
    county.edit(PLACE, 'id = "0003"', f'id = "0003"\n{key}')
    assert [error.what for error in county.errors()] == ["unknown key"]


def test_history_is_explained_line_by_line(county: County) -> None:
    values = {v.key: v for v in explain(Tree.load(county.root, today=TODAY), "esim-0005")}
    lines = (county.root / "devices/esim-0005.toml").read_text(encoding="utf-8").splitlines()
    former = values["device.was[0].location"]
    assert (former.value, lines[former.origin.line - 1]) == ("0003", 'location = "0003"')
