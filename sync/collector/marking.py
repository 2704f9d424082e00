"""Setting the centre's flags: which device has changed, what its flags are now, what that changes.

`unmarked` names the devices whose visits have changed since they were last looked at, and from
which day on. Ingest raises `turn`; whoever has marked a device sets `done` to the turn whose
records it has seen. Flags are applied under the lock of the device's row and only while the turn is
still that one, so several processes, and batches in between, do no harm: any order ends with the
flags that all records together give.
"""

from __future__ import annotations

import datetime
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from sync.collector.misuse import CLONE_ANSWERS, Scales, Seen, centre_flags
from sync.collector.places import Places
from sync.collector.states import catalogue, load, save, save_counts
from sync.collector.store import Store, Tx
from sync.collector.store.database import described
from sync.collector.tally import Difference, summary, words
from sync.contract import records

log = logging.getLogger("hymio.collector")

HISTORY_DAYS: Final = 365
EVERY_S: Final = 60.0
"""Seconds between two looks at what has changed."""
REST: Final = 3.0
"""How many times as long as it worked the background pass rests: at most a quarter of one core."""
_CHUNK: Final = 200
_SLICE: Final = 500
_FIRST: Final = ""

_TOUCH: Final = (
    "insert into unmarked(device, day, turn, done) values (?, ?, 1, 0) on conflict (device) "
    "do update set turn = unmarked.turn + 1, day = case when unmarked.done < unmarked.turn "
    "and unmarked.day < excluded.day then unmarked.day else excluded.day end"
)
_DAYS: Final = (
    "select day, count(*) from visits "
    "where device = ? and day >= ? and day <> '' group by day order by day"
)
_SEEN: Final = (
    "select v.visit, v.day, v.first_ms, v.end_ms, v.how, v.test, v.centre_flags, "
    "a.question, a.kind, a.value, a.quality from visits v "
    "left join answers a on a.device = v.device and a.visit = v.visit "
    "where v.device = ? and v.day >= ? and v.day <= ? order by v.day, v.visit, a.question"
)


class Change(NamedTuple):
    """A visit whose centre flags are others than it says."""

    day: str
    visit: str
    flags: str


def touch(tx: Tx, device: str, day: str) -> None:
    """Note that visits of a device have changed, the earliest on this day."""
    tx.run(_TOUCH, (device, day))


def pending(tx: Tx) -> list[str]:
    """The devices to look at."""
    return [r[0] for r in tx.rows("select device from unmarked where done < turn order by device")]


class _OwnHistory:
    """What a device usually hears, from the tables."""

    def __init__(self, tx: Tx, device: str) -> None:
        self._tx = tx
        self._device = device
        self._tens: dict[str, tuple[int, int]] = {}
        self._patterns: tuple[str, dict[Scales, int], dict[tuple[str, ...], int]] = ("", {}, {})

    def tens(self, day: str) -> tuple[int, int]:
        if day not in self._tens:
            last = datetime.date.fromisoformat(day)
            span = min(HISTORY_DAYS, last.toordinal())
            days = [(last - datetime.timedelta(n)).isoformat() for n in range(span)]
            condition, listed = self._tx.among("day", days)
            by_value: dict[int, int] = dict(
                self._tx.rows(
                    "select value, sum(n) from daily_counts where "  # noqa: S608 - our own names
                    f"{condition} and question = ? and device = ? and not test group by value",
                    (listed, records.NPS, self._device),
                )
            )
            self._tens[day] = int(by_value.get(10, 0)), int(sum(by_value.values()))
        return self._tens[day]

    def alike(self, day: str, scales: Scales) -> tuple[int, int]:
        if self._patterns[0] != day:
            self._patterns = (day, *self._count(day))
        _, patterns, questions = self._patterns
        return patterns.get(scales, 0), questions.get(tuple(q for q, _ in scales), 0)

    def _count(self, day: str) -> tuple[dict[Scales, int], dict[tuple[str, ...], int]]:
        patterns: dict[Scales, int] = {}
        asked: dict[tuple[str, ...], int] = {}
        rows = self._tx.rows(
            "select a.visit, a.question, a.value from visits v "
            "join answers a on a.device = v.device and a.visit = v.visit "
            "where v.device = ? and v.day > ? and v.day <= ? and not v.test "
            "and a.value is not null order by a.visit, a.question",
            (self._device, _shift(day, -HISTORY_DAYS), day),
        )
        for _, group in groupby(rows, key=lambda row: row[0]):
            scales = tuple((question, value) for _, question, value in group)
            if len(scales) >= CLONE_ANSWERS:
                questions = tuple(question for question, _ in scales)
                patterns[scales] = patterns.get(scales, 0) + 1
                asked[questions] = asked.get(questions, 0) + 1
        return patterns, asked


def _shift(day: str, days: int) -> str:
    """Some days later or earlier, as far as the calendar goes."""
    try:
        return (datetime.date.fromisoformat(day) + datetime.timedelta(days)).isoformat()
    except OverflowError:
        return day


def changes(tx: Tx, device: str, since: str = _FIRST) -> tuple[list[Change], int]:
    """The visits whose flags are to change, and how many visits were looked at.

    A record can change flags from the evening before its day, across midnight, and for as long as
    it is in the history of twelve months: everything from `since` on is looked at.
    """
    days: list[tuple[str, int]] = [
        (day, n) for day, n in tx.rows(_DAYS, (device, _shift(since, -1) if since else _FIRST))
    ]
    history = _OwnHistory(tx, device)
    wanted: list[Change] = []
    for first, last in _slices(days):
        wanted += _changes_in(tx, device, first, last, history)
    return sorted(wanted), sum(n for _, n in days)


def _slices(days: list[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    """Stretches of days with not much more than `_SLICE` visits each: what is read at once."""
    first, size = "", 0
    for i, (day, n) in enumerate(days):
        first = first or day
        size += n
        if size >= _SLICE or i == len(days) - 1:
            yield first, day
            first, size = "", 0


def _changes_in(
    tx: Tx, device: str, first: str, last: str, history: _OwnHistory
) -> Iterator[Change]:
    said: dict[str, tuple[str, str]] = {}
    seen: list[Seen] = []
    # One day more on either side is read, and one for time zones, so that no window is cut off.
    around = (device, _shift(first, -2), _shift(last, 2))
    for visit, group in groupby(tx.rows(_SEEN, around), key=lambda row: row[0]):
        rows = list(group)
        _, day, _, _, _, test, flags, *_ = rows[0]
        said[visit] = (day, flags)
        if not test and (one := _seen(rows)) is not None:
            seen.append(one)
    found = centre_flags(seen, history)
    for visit, (day, flags) in said.items():
        right = words(found.get(visit, ()))
        if first <= day <= last and right != flags:
            yield Change(day, visit, right)


def _seen(rows: list[tuple[Any, ...]]) -> Seen | None:
    visit, day, first_ms, end_ms, how, *_ = rows[0]
    answers = [row[7:] for row in rows if row[7] is not None]
    if not answers or any(quality == "received" for *_, quality in answers):
        return None
    scales = tuple((question, value) for question, _, value, _ in answers if value is not None)
    return Seen(
        visit,
        day,
        first_ms,
        end_ms if how == "completed" else None,
        dict(scales).get(records.NPS),
        tuple(sorted(scales)),
        # The kind stays when the words are purged.
        any(kind in ("text", "sealed") for _, kind, _, _ in answers),
    )


def apply(tx: Tx, device: str, wanted: Iterable[Change], places: Places) -> int:
    """Write flags, and the difference they make to the counts; returns how many visits changed."""
    flags = {change.visit: change.flags for change in wanted}
    difference = Difference()
    rows = []
    for visit, (state, before) in load(tx, device, flags).items():
        if before.centre_flags == flags[visit]:
            continue
        difference.remove(state, before, places)
        state.centre_flags = flags[visit]
        after = summary(state, places)
        difference.add(state, after, places)
        rows.append(after)
    save(tx, rows, ())
    save_counts(tx, difference)
    return len(rows)


def _turn(tx: Tx, device: str) -> int:
    """Lock the device as a batch does; the turn its records are at."""
    if not tx.sqlite:
        tx.rows("select id from devices where id = ? for update", (device,))
    return int(tx.value("select turn from unmarked where device = ?", (device,)) or 0)


def mark_device(store: Store, device: str) -> tuple[int, int]:
    """Mark one device that is `pending`: visits looked at, visits changed.

    Reads in one snapshot that holds nobody up, then writes a transaction for each day (of at most
    200 visits). Gives up when a batch comes in between: the device is pending again then.
    """
    with store.snapshot() as connection:
        tx = Tx(connection)
        found = tx.row("select turn, day from unmarked where device = ? and done < turn", (device,))
        if found is None:
            return 0, 0
        turn, since = found
        wanted, visits = changes(tx, device, since)
    changed = 0
    for _, same_day in groupby(wanted, key=lambda change: change.day):
        of_day = list(same_day)
        for start in range(0, len(of_day), _CHUNK):
            part = of_day[start : start + _CHUNK]

            def write(tx: Tx, part: list[Change] = part) -> int | None:
                if _turn(tx, device) != turn:
                    return None
                return apply(tx, device, part, catalogue(tx).places)

            written = store.transact(write)
            if written is None:
                return visits, changed
            changed += written
    store.transact(
        lambda tx: tx.run(
            "update unmarked set done = turn, day = '' where device = ? and turn = ?",
            (device, turn),
        )
    )
    return visits, changed


def mark_whole(tx: Tx, devices: Iterable[str], places: Places) -> int:
    """Mark devices from their first day on in a running transaction, as `rebuild` does."""
    changed = 0
    for device in devices:
        wanted, _ = changes(tx, device)
        changed += apply(tx, device, wanted, places)
    tx.run("update unmarked set done = turn, day = ''")
    return changed


def touch_all(tx: Tx) -> None:
    """Have every device looked at from its first day on."""
    for (device,) in tx.rows("select distinct device from visits order by device"):
        touch(tx, device, _FIRST)


def mark_all(store: Store) -> dict[str, Any]:
    """Compute every flag anew; can be repeated, also while batches come in."""

    def begin(tx: Tx) -> list[str]:
        touch_all(tx)
        return pending(tx)

    devices = store.transact(begin)
    visits = changed = 0
    for device in devices:
        looked, written = mark_device(store, device)
        visits += looked
        changed += written
    with store.read() as connection:
        tx = Tx(connection)
        marked = dict.fromkeys(("burst", "clone", "ten-run"), 0)
        for flags, n in tx.rows(
            "select centre_flags, count(*) from visits where centre_flags <> '' "
            "group by centre_flags"
        ):
            for flag in flags.split():
                marked[flag] = marked.get(flag, 0) + n
        left = len(pending(tx))
    return {"devices": len(devices), "visits": visits, "changed": changed, **marked, "left": left}


class Marker:
    """The background pass of a running centre: one device at a time, resting in between."""

    def __init__(
        self,
        store: Store,
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._every_s = every_s
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="marker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Finish the device at hand, then end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                self.once()
            except Exception as error:  # noqa: BLE001 - marks can wait, the centre goes on
                log.warning("flags are not up to date: %s", described(error))

    def once(self) -> None:
        """Mark what is pending now."""
        with self._store.read() as connection:
            devices = pending(Tx(connection))
        for device in devices:
            began = self._clock()
            try:
                mark_device(self._store, device)
            except Exception as error:  # noqa: BLE001 - one device holds up no other
                log.warning("the flags of %s are not up to date: %s", device, described(error))
            # No longer than that: a database that stood for an hour was no work.
            if self._stop.wait(min(REST * (self._clock() - began), self._every_s)):
                return
