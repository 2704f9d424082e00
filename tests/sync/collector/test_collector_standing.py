"""How a device stands: against opening hours, in the right order, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.collector import hours, said, standing
from sync.collector.standing import Opening, Signs, Standing, judge
from sync.contract import ids
from tests.sync.collector.world import Centre, Device, answer, item

HELSINKI = ZoneInfo("Europe/Helsinki")
WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-16:00") | {"sat": "", "sun": ""}
ALWAYS: dict[str, str] = {}


def at(text: str) -> dt.datetime:
    """`2026-03-06 15:50`, a Friday, at the place."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=HELSINKI)


def state(seen: str, now: str, week: dict[str, str] = WEEK, **changes: Any) -> str:
    values: dict[str, Any] = {
        "registered": "active",
        "last_seen": at(seen) if seen else None,
        "setup": "",
        "clone_suspected": False,
        "wiped": False,
        "refused": False,
        "oldest_unsent": None,
        "answered": True,
        "first": at("2026-01-01 08:00"),
    }
    return judge(Signs(**{**values, **changes}), Opening(week, HELSINKI), at(now))


@pytest.mark.parametrize(
    ("seen", "now", "closed_at_night", "always_open"),
    [
        ("2026-03-06 15:50", "2026-03-06 15:55", "ok", "ok"),
        # Switched off on Friday at closing time; the weekend through nobody is worried.
        ("2026-03-06 16:00", "2026-03-08 20:00", "ok", "silent"),
        ("2026-03-06 16:00", "2026-03-09 08:59", "ok", "silent"),
        ("2026-03-06 16:00", "2026-03-09 09:00", "silent", "silent"),
        # Half an hour before closing and half an hour after opening are an open hour.
        ("2026-03-05 15:30", "2026-03-06 08:29", "ok", "quiet"),
        ("2026-03-05 15:30", "2026-03-06 08:30", "quiet", "quiet"),
        ("2026-03-05 12:00", "2026-03-06 11:59", "quiet", "quiet"),
        ("2026-03-05 12:00", "2026-03-06 12:01", "silent", "silent"),
    ],
)
def test_silence_is_judged_against_opening_hours(
    seen: str, now: str, closed_at_night: str, always_open: str
) -> None:
    assert state(seen, now) == closed_at_night
    assert state(seen, now, ALWAYS) == always_open


def test_the_state_that_matters_most_is_the_one_shown() -> None:
    seen, now = "2026-03-06 12:00", "2026-03-06 12:01"
    unsent = at("2026-03-05 12:00")
    assert state(seen, now) == "ok"
    assert state(seen, now, answered=False) == "mute"
    assert state(seen, now, answered=False, first=at("2026-03-01 08:00")) == "ok"
    assert state(seen, now, dict.fromkeys(hours.DAYS, ""), answered=False) == "ok"
    assert state(seen, now, answered=False, refused=True) == "refused"
    assert state(seen, now, refused=True, oldest_unsent=unsent) == "stuck"
    assert state("2026-03-06 10:00", now, oldest_unsent=unsent) == "quiet"
    assert state("2026-03-02 10:00", now, clone_suspected=True) == "clone-suspected"
    assert state("2026-03-02 10:00", now, wiped=True) == "wiped"
    assert state("", now) == "unconfirmed"
    assert state(seen, now, setup="confirm") == "unconfirmed"
    assert state("", now, registered="expected") == "never-enrolled"
    for ended in ("retired", "revoked"):
        assert state(seen, now, registered=ended, wiped=True) == ended


def test_an_hour_lost_to_summer_time_is_not_an_open_one() -> None:
    night = {"sat": "22:00-06:00"}
    found = hours.open_time(night, HELSINKI, at("2026-03-28 12:00"), at("2026-03-29 12:00"))
    assert found == dt.timedelta(hours=7)


@given(
    since=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 1)),
    minutes=st.integers(0, 20 * 24 * 60),
    week=st.dictionaries(
        st.sampled_from(hours.DAYS),
        st.sampled_from(["", "08:00-16:00", "08:00-12:00,13:00-16:00", "20:00-04:00", "00:00-24:00",
                         "08:00-14:00,12:00-16:00"]),
        min_size=1,
    ),
)  # fmt: skip
def test_open_time_is_what_the_clock_on_the_wall_says(
    since: dt.datetime, minutes: int, week: dict[str, str]
) -> None:
    begin = since.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    end = begin + dt.timedelta(minutes=minutes)

    def is_open(moment: dt.datetime) -> bool:
        there = moment.astimezone(HELSINKI)
        for back in (0, 1):
            day = hours.DAYS[(there.date() - dt.timedelta(back)).weekday()]
            for part in filter(None, week.get(day, "").split(",")):
                first, last = (int(x[:2]) * 60 + int(x[3:]) for x in part.split("-"))
                minute = there.hour * 60 + there.minute + 1440 * back
                if first <= minute < (last if last > first else last + 1440):
                    return True
        return False

    # Ranges begin and end on the hour: one look every quarter counts exactly.
    begin = begin.replace(minute=0)
    end = end.replace(minute=0)
    counted = dt.timedelta()
    moment = begin
    while moment < end:
        counted += dt.timedelta(hours=1) if is_open(moment) else dt.timedelta()
        moment += dt.timedelta(hours=1)
    assert hours.open_time(week, HELSINKI, begin, end) == counted


@pytest.mark.parametrize(
    "week", [{"monday": ""}, {"mon": "8-16"}, {"mon": "08:00"}, {"mon": "08:00-25:00"}]
)
def test_what_is_no_week_is_refused(sqlite_centre: Centre, week: dict[str, str]) -> None:
    place = {"id": "0001", "name": {}, "hours": week}
    reply = sqlite_centre.admin("PUT", "catalogue", {"locations": [place]})
    assert reply.code == "bad_envelope"
    assert next(iter(week)) in reply.json()["detail"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '"x"', '{"config": "3", "refused": 7, "service": [], "version": 1}',
     '{"last_touch": "soon", "oldest_unsent": "2026-03-02", "alarms": ["x"], "setup": null}',
     '{"last_touch": "0001-01-01T00:00:00+14:00"}', "[" * 100_000],
)  # fmt: skip
def test_a_device_can_say_anything(text: str) -> None:
    assert said.read(text) == said.Said()


# --- as the centre sees it ----------------------------------------------------------------------


def fleet(centre: Centre) -> dict[str, Standing]:
    now = dt.datetime.fromtimestamp(centre.clock.at, dt.UTC)
    with centre.store.read() as connection:
        return {one.id: one for one in standing.fleet(connection, now)}


def test_what_a_device_said_last_stands_in_the_fleet(centre: Centre) -> None:
    assert fleet(centre)["d1"].state == "never-enrolled"
    code = centre.code("d1")
    opened = fleet(centre)["d1"].open_code_until
    assert opened is not None
    assert opened.timestamp() == centre.clock.at + 72 * 3600
    device = Device(centre, "d1")
    assert device.enrol(code).status == 200
    assert fleet(centre)["d1"].state == "unconfirmed"
    status = {
        "version": "0.3.0",
        "config": 4,
        "config_since": "2026-03-01T08:00:00+02:00",
        "refused": [{"version": 5, "reason": "a text is missing"}],
        "last_touch": "2026-03-02T09:59:00+02:00",
        "service": {"locked_until": None, "wrong": 2, "opened": None},
        "setup": "",
        "alarms": [{"what": "new outbox"}],
    }
    device.send([item(1, answer(ids.uuid7()))], status=status, tail_seq=3)
    one = fleet(centre)["d1"]
    assert (one.state, one.registered, one.open_code_until) == ("refused", "active", None)
    assert (one.place, one.place_names, one.municipality) == ("0001", {"fi": "Salo"}, "Salo")
    assert (one.program, one.active, one.published) == ("0.3.0", 4, 0)
    assert one.config_since == at("2026-03-01 08:00")
    assert one.last_touch == at("2026-03-02 09:59")
    assert (one.service["wrong"], one.alarms) == (2, [{"what": "new outbox"}])
    assert (one.ledger.created, one.ledger.acknowledged, one.ledger.to_send) == (3, 1, 2)
    device.send([], status={"config": 5, "refused": status["refused"]}, first_seq=2, tail_seq=1)
    assert fleet(centre)["d1"].state == "ok"  # the one it refused is behind it
    centre.clock.at += 2 * 86_400
    assert (fleet(centre)["d1"].state, fleet(centre)["d1"].silent) == ("silent", True)
    shut = {"id": "0001", "name": {"fi": "Salo"}, "municipality": "Salo",
            "hours": dict.fromkeys(hours.DAYS, "")}  # fmt: skip
    assert centre.admin("PUT", "catalogue", {"locations": [shut]}).status == 200
    assert fleet(centre)["d1"].state == "ok"


def test_it_reads_of_a_device_what_the_page_shows(centre: Centre) -> None:
    device = centre.device("d1")
    status = {
        "version": "0.3.0",
        "config": 4,
        "config_since": "2026-03-01T08:00:00+02:00",
        "refused": [{"version": 3, "reason": "a text is missing"}],
        "last_touch": "2026-03-02T09:59:00+02:00",
        "oldest_unsent": "2026-03-02T09:58:00+02:00",
        "service": {"locked_until": None, "wrong": 2, "opened": None},
        "setup": "check",
    }
    device.send([item(1, answer(ids.uuid7())), item(2, b'"junk"')], status=status, tail_seq=9)
    code_until = centre.clock.at + 3600
    centre.code("d1", hours=1)
    found = next(d for d in centre.admin("GET", "devices").json() if d["id"] == "d1")
    assert found["status"] == status
    (key,), (epoch,) = found["keys"], found["epochs"]
    assert (key["state"], epoch["have"], epoch["tail"]) == ("active", 2, 9)
    assert dt.datetime.fromisoformat(found["open_code_until"]).timestamp() == code_until
    told = ("id", "name", "location", "place", "municipality", "state", "standing", "version")
    assert [found[name] for name in told] == [
        *("d1", "d1", "0001", {"fi": "Salo"}, "Salo", "active", "ok", 0),
    ]
    told = ("config", "config_since", "refused", "program", "last_seen", "last_touch", "service")
    assert [found[name] for name in told] == [
        *(4, "2026-03-01T06:00:00.000Z", status["refused"], "0.3.0"),
        *("2026-03-02T08:00:00.000Z", "2026-03-02T07:59:00.000Z", status["service"]),
    ]
    assert (found["oldest_unsent"], found["setup"]) == ("2026-03-02T07:58:00.000Z", "check")
    assert found["ledger"] == {
        "created": 9, "acknowledged": 1, "quarantined": 1, "held": 0, "lost": 0, "to_send": 7,
    }  # fmt: skip


def test_a_clone_is_suspected_until_the_key_is_another(centre: Centre) -> None:
    device = centre.device("d1")
    device.send([item(1, answer(ids.uuid7()))])
    device.send([item(1, answer(ids.uuid7()))])
    assert (fleet(centre)["d1"].state, fleet(centre)["d1"].clone_suspected) == (
        "clone-suspected",
        True,
    )
    assert fleet(centre)["d2"].clone_suspected is False
    centre.device("d1").send([])
    assert fleet(centre)["d1"].state == "ok"


def test_a_device_is_wiped_once_it_has_sent_everything(centre: Centre) -> None:
    from tests.sync.collector.test_collector_devices import a_bundle

    device = centre.device("d1")
    raw = a_bundle("d1", 3, centre.organisation, wipe=True)
    assert centre.admin("PUT", "devices/d1/bundle", raw).status == 200
    device.send([item(1, answer(ids.uuid7()))], status={"config": 2}, tail_seq=2)
    assert fleet(centre)["d1"].state == "ok"
    device.send([], status={"config": 3}, first_seq=2, tail_seq=2)
    assert fleet(centre)["d1"].state == "ok"
    device.send([item(2, answer(ids.uuid7()))], status={"config": 3}, tail_seq=2)
    centre.clock.at += 9 * 86_400
    assert fleet(centre)["d1"].state == "wiped"
    # Another configuration calls it back.
    raw = a_bundle("d1", 4, centre.organisation)
    assert centre.admin("PUT", "devices/d1/bundle", raw).status == 200
    assert fleet(centre)["d1"].state == "silent"
