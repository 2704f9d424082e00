"""Misuse flags and opening hours."""

from datetime import datetime

import pytest

from kiosk.misuse import Watch, is_open

WEEK = {"mon": "08:00-12:00, 13:00-16:00", "fri": "20:00-04:00", "sat": "", "sun": "00:00-24:00"}


def watch_taps(*times):
    watch = Watch()
    for at in times:
        watch.tapped(at)
    return watch.flags([], in_hours=None)


def test_more_than_eight_taps_in_two_seconds_is_mashing():
    assert watch_taps(*(i * 0.25 for i in range(9))) == ["mash"]
    assert watch_taps(*(i * 0.25 for i in range(8))) == []
    assert watch_taps(*(i * 0.26 for i in range(40))) == []


def test_mashing_is_found_after_calm_taps_and_stays_found():
    calm_before = [0.0, 5.0, *(10 + i * 0.2 for i in range(9))]
    assert watch_taps(*calm_before) == ["mash"]
    assert watch_taps(*calm_before, 100.0, 200.0) == ["mash"]


@pytest.mark.parametrize(
    ("seconds", "statements", "expected"),
    [
        ([0.44] * 3, [5, 5, 5], ["rush", "straight-rush"]),
        ([0.44] * 3, [5, 5, 4], ["rush"]),
        ([0.44] * 3, [5], ["rush"]),
        ([0.44] * 3, [], ["rush"]),
        ([0.44, 0.44, 0.45], [5, 5, 5], []),
        ([3.0] * 5, [1, 1, 1, 1, 1], []),
    ],
)
def test_rush_and_straight_rush(seconds, statements, expected):
    watch = Watch()
    for second in seconds:
        watch.answered(second)
    assert watch.flags(statements, in_hours=True) == expected


def test_closed_only_where_hours_say_so():
    assert Watch().flags([], in_hours=False) == ["closed"]
    assert Watch().flags([], in_hours=None) == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T07:59:59", False),
        ("2026-11-23T08:00:00", True),
        ("2026-11-23T12:00:00", False),
        ("2026-11-23T15:59:59", True),
        ("2026-11-23T16:00:00", False),
        ("2026-11-24T10:00:00", False),  # no hours given for Tuesday
        ("2026-11-27T19:59:00", False),
        ("2026-11-27T20:00:00", True),
        ("2026-11-28T03:59:00", True),  # Friday's evening goes on
        ("2026-11-28T04:00:00", False),
        ("2026-11-29T00:00:00", True),
        ("2026-11-29T23:59:59", True),
        ("2026-11-30T00:00:00", False),
    ],
)
def test_opening_hours(moment, expected):
    assert is_open(WEEK, datetime.fromisoformat(moment)) is expected


def test_no_hours_at_all_says_nothing():
    assert is_open({}, datetime.fromisoformat("2026-11-23T03:00:00")) is None


@pytest.mark.parametrize("text", ["8-16", "08:00", "08:00-25:00", "always"])
def test_hours_that_are_not_times_are_an_error(text):
    with pytest.raises(ValueError, match=r"."):
        is_open({"mon": text}, datetime.fromisoformat("2026-11-23T10:00:00"))
