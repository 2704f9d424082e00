"""Dated places and corrections: whatever order catalogue, corrections and answers come in."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.collector import maintenance
from sync.collector.admin import Admin
from sync.collector.admin_messages import CorrectionPut
from sync.collector.catalogue_messages import CataloguePut, LocationPut
from sync.collector.correcting import Corrections
from sync.collector.marking import mark_all
from sync.collector.purge import purge_text
from sync.collector.store import Tx
from tests.sync.collector.test_collector_model import MODEL, NOW_MS, Sent, World
from tests.sync.collector.world import Centre, Device, answer, item, stamp

DAY_S = 86_400
TOWNS = ("Salo", "Turku", "Paimio", "Kemiö")


@pytest.fixture
def world(database: str) -> Iterator[World]:
    found = World(database)
    yield found
    found.store.close()


# --- over HTTP -----------------------------------------------------------------------------------


def rows(centre: Centre, sql: str) -> list[Any]:
    with centre.store.read() as connection:
        return Tx(connection).rows(sql)


def holds(centre: Centre) -> None:
    assert maintenance.verify(centre.store)["differences"] == []


def put(centre: Centre, **catalogue: Any) -> Any:
    return centre.admin("PUT", "catalogue", catalogue)


def test_a_move_between_municipalities_holds_from_the_day_it_gives(centre: Centre) -> None:
    device = centre.device("d1")
    place = {"id": "0001", "name": {"fi": "Salo"}, "municipality": "Salo", "services": ["dental"]}
    for n, day in enumerate((0, 1, 2, 3)):
        device.send([item(n + 1, answer(f"v{n}", at=stamp(day * DAY_S)))])
    centre.clock.at += 9 * DAY_S
    # IT says on the 11th that since the 4th it has been Turku's.
    was = [{"until": "2026-03-03", "municipality": "Salo"}]
    assert put(centre, locations=[{**place, "municipality": "Turku", "history": was}]).status == 200
    towns = "select day, municipality from daily_counts order by day"
    wanted = [("2026-03-02", "Salo"), ("2026-03-03", "Salo"),
              ("2026-03-04", "Turku"), ("2026-03-05", "Turku")]  # fmt: skip
    assert rows(centre, towns) == wanted
    assert rows(centre, "select distinct service from daily_counts") == [("dental",)]
    holds(centre)
    # An older checkout that has not heard of the past changes nothing of it.
    assert put(centre, locations=[{**place, "municipality": "Turku"}]).status == 200
    assert rows(centre, towns) == wanted
    # The date was wrong: what IT says last is what holds.
    was[0]["until"] = "2026-03-04"
    assert put(centre, locations=[{**place, "municipality": "Turku", "history": was}]).status == 200
    assert rows(centre, towns) == [*wanted[:2], ("2026-03-04", "Salo"), ("2026-03-05", "Turku")]
    holds(centre)


def test_the_day_the_centre_heard_gives_way_to_the_day_it_gives(centre: Centre) -> None:
    device = centre.device("d1")
    place = {"id": "0009", "name": {}, "municipality": "Salo"}
    assert put(centre, locations=[place]).status == 200
    for n in range(6):
        device.send([item(n + 1, answer(f"v{n}", location="0009", at=stamp(n * DAY_S)))])
    centre.clock.at += 4 * DAY_S
    assert put(centre, locations=[{**place, "municipality": "Turku"}]).status == 200
    towns = "select municipality, sum(n) from daily_counts group by municipality order by 1"
    assert [(town, int(n)) for town, n in rows(centre, towns)] == [("Salo", 4), ("Turku", 2)]
    was = [{"until": "2026-03-02", "municipality": "Salo"}]
    assert put(centre, locations=[{**place, "municipality": "Turku", "history": was}]).status == 200
    assert [(town, int(n)) for town, n in rows(centre, towns)] == [("Salo", 1), ("Turku", 5)]
    assert rows(centre, "select since, municipality from places where location = '0009'") == [
        ("", "Salo"),
        ("2026-03-03", "Turku"),
    ]
    holds(centre)


def test_the_catalogue_reads_back_as_it_was_put(centre: Centre) -> None:
    location = {
        "id": "0001",
        "name": {"fi": "Salo"},
        "municipality": "Turku",
        "timezone": "Europe/Helsinki",
        "services": ["dental"],
        "hours": {"mon": "08:00-16:00", "sun": ""},
        "history": [
            {"until": "2026-01-31", "name": {"fi": "Vanha"}},
            {"until": "2026-03-31", "municipality": "Salo"},
        ],
    }
    service = {
        "id": "dental",
        "name": {"fi": "Suun terveydenhuolto"},
        "group": "health",
        "short_name": {"fi": "Suu"},
        "since": "2020-01-01",
        "until": "2026-12-31",
        "merged_into": "health",
        "history": [{"until": "2025-12-31", "name": {"fi": "Hammashoito"}}],
    }
    device = {
        "id": "d1",
        "name": "Aula",
        "location": "0001",
        "history": [{"until": "2026-02-15", "location": "0002", "name": "Ovi"}],
    }
    given = {"locations": [location], "services": [service], "devices": [device]}
    for _ in range(2):
        assert put(centre, **given).status == 200
        found = centre.admin("GET", "catalogue").json()
        assert [x for x in found["locations"] if x["id"] == "0001"] == [location]
        assert found["services"] == [service]
        assert [x for x in found["devices"] if x["id"] == "d1"] == [device]
    # From midnight at the place on, whatever the time zone of the centre.
    assert rows(
        centre, "select since_ms, location from assignments where device = 'd1' order by 1"
    ) == [(0, "0002"), (1_771_192_800_000, "0001")]


@pytest.mark.parametrize(
    ("catalogue", "told"),
    [
        ({"locations": [{"id": "x", "name": {}, "history": [{"until": "2026-02-30"}]}]}, "2026-02"),
        (
            {"locations": [{"id": "x", "name": {}, "history": [{"until": "2026-02-03"}] * 2}]},
            "two older values until 2026-02-03",
        ),
        ({"services": [{"id": "x", "name": {}, "since": "2026-13-01"}]}, "2026-13-01"),
        ({"services": [{"id": "x", "name": {}, "until": "soon"}]}, "until"),
        ({"devices": [{"id": "x", "history": [{"until": "2026-01-01"}]}]}, "location"),
        ({"locations": [{"id": "x", "name": {}, "histroy": []}]}, "histroy"),
    ],
)
def test_a_past_with_mistakes_is_refused(
    sqlite_centre: Centre, catalogue: dict[str, Any], told: str
) -> None:
    reply = put(sqlite_centre, **catalogue)
    assert reply.code == "bad_envelope"
    assert told in reply.json()["detail"]


def test_a_place_with_one_service_left_gives_that_one(centre: Centre) -> None:
    def publish(**changes: Any) -> None:
        services = [{"id": "oral", "name": {}}, {"id": "dental", "name": {}, **changes}]
        place = {"id": "0001", "name": {}, "municipality": "Salo", "services": ["oral", "dental"]}
        assert put(centre, locations=[place], services=services).status == 200

    device = centre.device("d1")
    publish()
    device.send([item(1, answer("a"))])
    merged = {"until": "2026-03-03", "merged_into": "oral"}
    publish(**merged)  # announced ahead
    device.send([item(2, answer("b", at=stamp(DAY_S)))])
    centre.clock.at += 2 * DAY_S
    publish(**merged)
    device.send([item(3, answer("c", at=stamp(2 * DAY_S)))])
    assert rows(centre, "select day, service from daily_counts order by day") == [
        ("2026-03-02", ""),  # two to choose from, none chosen
        ("2026-03-03", ""),
        ("2026-03-04", "oral"),
    ]
    holds(centre)


def test_services_are_not_merged_in_a_circle(centre: Centre) -> None:
    def merged(one: str, into: str) -> dict[str, Any]:
        return {"id": one, "name": {}, "merged_into": into}

    assert put(centre, services=[merged("a", "b"), merged("b", "c")]).status == 200
    assert put(centre, services=[merged("c", "a")]).code == "conflict"
    assert put(centre, services=[merged("d", "d")]).code == "conflict"
    assert rows(centre, "select id from services where merged_into <> '' order by id") == [
        ("a",),
        ("b",),
    ]


# --- corrections ---------------------------------------------------------------------------------


def correct(centre: Centre, since: str, until: str, location: str = "0002", **more: Any) -> Any:
    values = {"device": "d1", "from": since, "to": until, "location": location, **more}
    return centre.admin("POST", "corrections", values)


def where(centre: Centre) -> list[tuple[str, str, str, int]]:
    return [
        (day, location, town, int(n))
        for day, location, town, n in rows(
            centre,
            "select day, location, municipality, sum(n) from daily_counts "
            "group by day, location, municipality order by day, location",
        )
    ]


def test_a_device_carried_away_counts_where_it_was(centre: Centre) -> None:
    device = centre.device("d1")
    for n in range(4):
        device.send([item(n + 1, answer(f"v{n}", at=stamp(n * DAY_S)))])
    as_told = where(centre)
    reply = correct(centre, "2026-03-03", "2026-03-04", reason="moved on Tuesday")
    assert reply.status == 200
    corrected = [
        ("2026-03-02", "0001", "Salo", 1),
        ("2026-03-03", "0002", "Turku", 1),
        ("2026-03-04", "0002", "Turku", 1),
        ("2026-03-05", "0001", "Salo", 1),
    ]
    assert where(centre) == corrected
    # The only service of the place the answers say is not that of the place they count for.
    assert rows(centre, "select service from daily_counts where location = '0002'") == [("",)] * 2
    assert rows(centre, "select distinct location from answers") == [("0001",)]
    assert rows(centre, "select location, n from hourly_counts order by 1") == [
        ("0001", 1), ("0001", 1), ("0002", 1), ("0002", 1),
    ]  # fmt: skip
    holds(centre)
    # Said again it is the same; another device is not concerned.
    assert correct(centre, "2026-03-03", "2026-03-04").json()["id"] == reply.json()["id"]
    other = centre.device("d2")
    other.send([item(1, answer("w", at=stamp(DAY_S)))])
    assert ("2026-03-03", "0001", "Salo", 1) in where(centre)
    # A late arrival from the window counts like the others.
    device.send([item(5, answer("late", at=stamp(2 * DAY_S + 5)))])
    assert ("2026-03-04", "0002", "Turku", 2) in where(centre)
    holds(centre)
    (listed,) = centre.admin("GET", "corrections").json()
    assert (listed["from"], listed["to"], listed["by"]) == ("2026-03-03", "2026-03-04", "tester")
    assert (listed["reason"], listed["withdrawn_at"]) == ("moved on Tuesday", None)
    for _ in range(2):
        assert centre.admin("DELETE", f"corrections/{listed['id']}").status == 200
    assert ("2026-03-04", "0001", "Salo", 2) in where(centre)
    holds(centre)
    (listed,) = centre.admin("GET", "corrections").json()
    assert listed["withdrawn_by"] == "tester"
    deeds = (
        "select what, count(*) from audit where what like 'correction%' group by what order by 1"
    )
    assert rows(centre, deeds) == [("correction.add", 1), ("correction.withdraw", 1)]
    with centre.store.tx() as tx:
        tx.run("delete from records where device = 'd2' or id in (select id from answers where "
               "visit = 'late')")  # fmt: skip
    maintenance.rebuild(centre.store, now_ms=NOW_MS)
    assert where(centre) == as_told


def test_a_dry_run_says_what_the_correction_will_do(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer("a"))])
    device.send([item(2, answer("b")), item(3, answer("b", "heard", 1, 4))])
    device.send([item(4, answer("b", "politeness", 1, None))])  # withdrawn
    device.send([item(5, answer("c", test=True))])
    device.send([item(6, answer("d", location="0002", at=stamp(DAY_S)))])  # counts there already
    device.send([item(7, answer("e", at=stamp(DAY_S)))])
    day = ("2026-03-02", "2026-03-02")
    before = where(centre), rows(centre, "select * from audit order by no")

    dry = correct(centre, *day, dry_run=True)
    assert dry.json() == {
        "device": "d1", "id": 0, "visits": 2, "answers": 3, "instead_of": ["0001"],
    }  # fmt: skip
    assert (where(centre), rows(centre, "select * from audit order by no")) == before
    assert centre.admin("GET", "corrections").json() == []
    done = correct(centre, *day).json()
    assert done == {**dry.json(), "id": done["id"]}
    assert done["id"]
    assert correct(centre, *day).json() == {**done, "visits": 0, "answers": 0, "instead_of": []}

    # What an earlier correction has moved is moved from there, what a place has it keeps.
    put(centre, locations=[{"id": "0003", "name": {}}])
    both = ("2026-03-02", "2026-03-03", "0003")
    told = correct(centre, *both, dry_run=True).json()
    assert told["instead_of"] == ["0001", "0002"]
    assert (told["visits"], told["answers"]) == (4, 5)
    assert correct(centre, *both).json() == {**told, "id": done["id"] + 1}
    holds(centre)
    assert correct(centre, *day, "0099", dry_run=True).code == "not_found"
    assert correct(centre, *day, device="d9", dry_run=True).code == "not_found"


def test_instants_cut_a_day_in_two_and_the_later_correction_wins(centre: Centre) -> None:
    put(centre, locations=[{"id": "0003", "name": {}, "municipality": "Paimio"}])
    device = centre.device("d1")
    for n in range(4):
        device.send([item(n + 1, answer(f"v{n}", at=stamp(n * 3600)))])  # 10, 11, 12, 13 o'clock
    assert correct(centre, "2026-03-02T11:00:00+02:00", "2026-03-02T11:00:00Z").status == 200
    assert [n for *_, n in where(centre)] == [2, 2]  # 11 and 12: the end is not included
    last = correct(centre, "2026-03-02", "2026-03-02T12:00:00+02:00", "0003").json()["id"]
    assert [(place, n) for _, place, _, n in where(centre)] == [
        ("0001", 1), ("0002", 1), ("0003", 2),
    ]  # fmt: skip
    holds(centre)
    assert centre.admin("DELETE", f"corrections/{last}").status == 200
    assert [(place, n) for _, place, _, n in where(centre)] == [("0001", 2), ("0002", 2)]


@pytest.mark.parametrize(
    ("since", "until", "location", "code"),
    [
        ("2026-03-03", "2026-03-02", "0002", "bad_envelope"),
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z", "0002", "bad_envelope"),
        ("2026-03-02T10:00:00", "2026-03-03", "0002", "bad_envelope"),
        ("soon", "2026-03-03", "0002", "bad_envelope"),
        ("2026-02-30", "2026-03-03", "0002", "bad_envelope"),
        ("2026-03-02", "2026-03-03", "0099", "not_found"),
    ],
)
def test_a_correction_with_mistakes_is_refused(
    sqlite_centre: Centre, since: str, until: str, location: str, code: str
) -> None:
    assert correct(sqlite_centre, since, until, location).code == code
    assert sqlite_centre.admin("GET", "corrections").json() == []


def test_a_correction_nobody_made_cannot_be_withdrawn(sqlite_centre: Centre) -> None:
    for name in ("7", "x", "1" * 30, "%C2%B2"):
        assert sqlite_centre.admin("DELETE", f"corrections/{name}").code == "not_found"
    assert correct(sqlite_centre, "2026-03-02", "2026-03-02", device="d9").code == "not_found"


@pytest.mark.postgres
def test_answers_that_arrive_while_it_changes_things_are_counted_right(
    postgres_server: Centre,
) -> None:
    centre = postgres_server
    centre.clean()
    centre.set_up("d1", "d2")
    devices = [centre.device("d1"), centre.device("d2")]
    done = threading.Event()

    def send(device: Device) -> None:
        seq = 0
        while not done.is_set():
            seq += 1
            device.send([item(seq, answer(f"v{seq}"))])

    threads = [threading.Thread(target=send, args=(device,)) for device in devices]
    for thread in threads:
        thread.start()
    try:
        for n in range(15):
            was = [{"until": "2026-03-01", "municipality": f"town {n}"}]
            place = {"id": "0001", "name": {}, "municipality": TOWNS[n % 4], "history": was}
            assert put(centre, locations=[place]).status == 200
            assert correct(centre, "2026-03-02", "2026-03-02", f"000{n % 2 + 1}").status == 200
    finally:
        done.set()
        for thread in threads:
            thread.join()
    holds(centre)


# --- any order -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Deed:
    """Something IT does; `number` tells which correction to withdraw."""

    place: LocationPut | None = None
    correction: CorrectionPut | None = None
    number: int = -1


DAYS = st.sampled_from(["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-20", "2026-04-05"])
BOUNDS = st.one_of(DAYS, st.sampled_from(["2026-03-02T08:01:00Z", "2026-03-03T01:00:00+02:00"]))


@st.composite
def places(draw: st.DrawFn) -> LocationPut:
    ident = draw(st.sampled_from(["0001", "0002", "0009"]))
    past = draw(st.dictionaries(DAYS, st.sampled_from(TOWNS), min_size=1, max_size=3))
    return msgspec.convert(
        {
            "id": ident,
            "name": {},
            "municipality": draw(st.sampled_from(TOWNS)),
            "services": ["dental"] if ident == "0001" else [],
            "history": [{"until": u, "municipality": town} for u, town in past.items()],
        },
        LocationPut,
    )


@st.composite
def corrections(draw: st.DrawFn) -> CorrectionPut:
    return msgspec.convert(
        {
            "device": draw(st.sampled_from(["d1", "d1", "d2"])),
            "from": draw(BOUNDS),
            "to": draw(st.sampled_from(["2026-04-05", "2026-03-03", "2026-04-06T00:00:00Z"])),
            "location": draw(st.sampled_from(["0001", "0002", "0009"])),
        },
        CorrectionPut,
    )


deeds = st.lists(
    st.one_of(
        places().map(lambda place: Deed(place=place)),
        corrections().filter(lambda c: c.since < c.until)
        .map(lambda correction: Deed(correction=correction)),
        st.integers(0, 3).map(lambda number: Deed(number=number)),
    ),
    min_size=2,
    max_size=7,
)  # fmt: skip


@st.composite
def gathered(draw: st.DrawFn) -> list[Sent]:
    """Answers of two devices around the days and instants that deeds name; some change a mind."""
    seconds = st.sampled_from([0.0, 70.0, 50_400.0, DAY_S, 18 * DAY_S, 34 * DAY_S])
    found = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["d1", "d1", "d2"]),
                st.sampled_from(["v1", "v2", "v3", "v4"]),
                st.sampled_from(["nps", "heard"]),
                st.integers(1, 2),
                seconds,
                st.sampled_from(["0001", "0001", "0002", "0009"]),
            ),
            min_size=3,
            max_size=9,
        )
    )
    return [
        Sent(device, "e1", seq, f"r{seq}", answer(visit, question, n, seq % 5 + 1,
             at=stamp(second), location=location))
        for seq, (device, visit, question, n, second, location) in enumerate(found, 1)
    ]  # fmt: skip


class Desk:
    """IT at a world's centre."""

    def __init__(self, world: World) -> None:
        world.clean()
        with world.store.tx() as tx:
            for ident in ("0001", "0002", "0009"):
                tx.run("insert into locations(id, name, services) values (?, '{}', '[]')", (ident,))
        self._admin = Admin(world.store, now_ms=lambda: NOW_MS)
        self._corrections = Corrections(world.store, now_ms=lambda: NOW_MS)
        self._made: list[int] = []

    def do(self, deed: Deed) -> None:
        if deed.place is not None:
            self._admin.put_catalogue("it", CataloguePut(locations=[deed.place]))
        elif deed.correction is not None:
            self._made.append(self._corrections.add("it", deed.correction).id)
        elif deed.number < len(self._made):
            self._corrections.withdraw("it", self._made[deed.number])


@st.composite
def mixed(draw: st.DrawFn, sent: list[Sent], made: list[Deed]) -> list[Deed | Sent]:
    """Answers in any order, deeds in theirs, one among the other."""
    answers: list[Any] = draw(st.permutations(sent))
    turns = draw(st.permutations([True] * len(answers) + [False] * len(made)))
    left, right = iter(answers), iter(made)
    return [next(left) if turn else next(right) for turn in turns]


def play(world: World, story: list[Deed | Sent]) -> dict[str, list[tuple[Any, ...]]]:
    desk = Desk(world)
    for step in story:
        if isinstance(step, Sent):
            world.deliver([[step]])
        else:
            desk.do(step)
    mark_all(world.store)
    return world.derived()


def town_of(made: list[Deed], location: str, day: str) -> str:
    """The municipality by the words of the contract, the slow way."""
    puts = [d.place for d in made if d.place is not None and d.place.id == location]
    if not puts:
        return {"0001": "Salo", "0002": "Turku"}.get(location, "")
    later = sorted((was.until, was.municipality) for was in puts[-1].history if was.until >= day)
    return str(later[0][1]) if later else puts[-1].municipality


@settings(MODEL, max_examples=40)
@given(data=st.data())
def test_any_order_of_deeds_and_answers_gives_the_rows_of_a_rebuild(
    world: World, data: st.DataObject
) -> None:
    sent = data.draw(gathered())
    made = data.draw(deeds)
    first = play(world, data.draw(mixed(sent, made)))
    assert maintenance.verify(world.store)["differences"] == []
    maintenance.rebuild(world.store, now_ms=NOW_MS)
    assert world.derived() == first
    purge_text(world.store, days=0, now_ms=NOW_MS + 365 * DAY_S * 1000)
    assert maintenance.verify(world.store)["differences"] == []

    second = play(world, data.draw(mixed(sent, made)))
    assert second == first
    with world.store.read() as connection:
        tx = Tx(connection)
        counted = tx.rows("select distinct location, day, municipality from daily_counts")
        # Where answers count by the words of the contract: the last correction that covers them.
        rules = tx.rows(
            "select device, since, until, location from corrections "
            "where withdrawn_ms is null order by no desc"
        )
        wanted: Counter[str] = Counter()
        for device, day, instant_ms, location in tx.rows(
            "select device, day, instant_ms, location from answers where value is not null"
        ):
            fits = (to for d, since, until, to in rules
                    if d == device and _covers(since, until, day, instant_ms))  # fmt: skip
            wanted[next(fits, location)] += 1
        found = dict(tx.rows("select location, sum(n) from daily_counts group by location"))
    assert {place: int(n) for place, n in found.items()} == wanted
    for location, day, town in counted:
        assert town == town_of(made, location, day)


def _covers(since: str, until: str, day: str, instant_ms: int) -> bool:
    from sync.collector.times import wall_ms

    begun = day >= since if len(since) == 10 else instant_ms >= (wall_ms(since) or 0)
    over = day > until if len(until) == 10 else instant_ms >= (wall_ms(until) or 0)
    return begun and not over
