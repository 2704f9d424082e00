"""`hymio report` at 10³ … 10⁷ answers over fixed devices and days: time must not grow.

The tables are filled by SQL, not through ingest: `records` (without raw bytes, as after a purge),
`visits` and `answers` row by row, `daily_counts` by grouping the answers, so that it is what
ingest would have kept. What is measured is the reading.
"""

from __future__ import annotations

import contextlib
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sync.collector.reports.build import Builder
from sync.collector.reports.periods import Period
from sync.collector.reports.queries import Scope
from sync.collector.reports.read import snapshot
from sync.collector.reports.words import Words
from sync.collector.store import migrate, open_reader
from sync.collector.store.database import Store
from tests.bench.figures import Figure

DEVICES, DAYS = 10, 28
FULL = 100_000
"""From here on nearly every (day, device, question, value) exists: the counts have their size."""
NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
FEBRUARY = Period(date(2026, 2, 1), date(2026, 2, DAYS))
GROWTH = 1.25
"""Most the largest level may cost, as a multiple of the smallest with all its counts."""


def measure(folder: Path, *, levels: Sequence[int] = (3, 4, 5, 6, 7)) -> list[Figure]:
    """Seconds for the whole command and for the reading alone, per power of ten of answers."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "centre.db"
    url = f"sqlite:///{file}"
    with Store(url) as store:
        migrate(store)
    found, command, reading = [], {}, {}
    filled = 0
    for level in levels:
        answers = 10**level
        rows = fill(file, filled, answers)
        filled = answers
        command[answers] = _median(lambda: _command(url), 5)
        reading[answers] = _median(lambda: _read(url), 15)
        found.append(
            Figure(
                f"report: hymio report, 10^{level} answers",
                command[answers],
                "s",
                f"reading alone {reading[answers] * 1e3:.1f} ms over {rows:,} counts,"
                f" database {file.stat().st_size / 2**20:,.0f} MiB",
            )
        )
    low, high = min(command), max(command)
    span = f"{high:,} ÷ {low:,} answers, {DEVICES} devices, {DAYS} days"
    found.append(
        Figure(
            "report: growth of the command",
            command[high] / command[low],
            "×",
            span,
            GROWTH,
            "at most",
        )
    )
    base = min((n for n in reading if n >= FULL), default=low)
    if base < high:
        found.append(
            Figure(
                "report: growth of the reading",
                reading[high] / reading[base],
                "×",
                f"{high:,} ÷ {base:,} answers: from there on all counts exist",
                GROWTH,
                "at most",
            )
        )
    return found


def _median(run: Callable[[], object], times: int) -> float:
    """Seconds, the median of some runs after an unmeasured one."""
    taken = []
    for turn in range(times + 1):
        started = time.perf_counter()
        run()
        if turn:
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def _command(url: str) -> None:
    words = [
        *("report", "--database", url, "--by", "device", "--format", "json"),
        *("--from", "2026-02-01", "--to", f"2026-02-{DAYS}"),
    ]
    subprocess.run([sys.executable, "-m", "kiosk.cli", *words], check=True, capture_output=True)


def _read(url: str) -> None:
    """What the command and the page do between opening and printing, late arrivals included."""
    store = open_reader(url)
    try:
        with snapshot(store) as db:
            builder = Builder(db, Words("fi"), NOW)
            assert builder.report("device", Scope(FEBRUARY)).rows
            assert builder.report("statement", Scope(FEBRUARY)).rows
    finally:
        store.close()


def fill(file: Path, have: int, want: int) -> int:
    """Bring the number of answers from `have` to `want`; returns the rows of daily_counts."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        # Only the filling may be lost; the measurements read.
        db.execute("pragma synchronous=off")
        db.execute("pragma cache_size=-400000")
        db.execute("begin immediate")
        # Device by device, ids rising: every index grows at the end of a range.
        share = (have // DEVICES, want // DEVICES)
        for number in range(DEVICES):
            values = {"d": number, "from": share[0], "to": share[1]}
            db.execute(_RECORDS, values)
            db.execute(_ANSWERS, values)
            db.execute(_VISITS, values)
        db.execute("delete from daily_counts")
        db.execute(_COUNTS)
        db.execute("commit")
        db.execute("pragma wal_checkpoint(truncate)")
        (answers,) = db.execute("select count(*) from answers").fetchone()
        assert answers == want // DEVICES * DEVICES, f"{answers} of {want}"
        return int(db.execute("select count(*) from daily_counts").fetchone()[0])


# i counts a device's answers, four to a visit; a multiplicative hash spreads days and values.
_SOURCE = """
with recursive n(i) as (select :from union all select i + 1 from n where i + 1 < :to),
a as (
  select i, i / 4 as v, i % 4 as q, (i / 4 * 2654435761 >> 7) % 28 as d,
    (i * 40503 + :d * 977 >> 3) % 97 as r from n
),
row as (
  select i, printf('esim-%04d', :d + 1) as device, printf('%010d', v) as visit,
    printf('r%012d', i) as id, q, printf('2026-02-%02d', d + 1) as day,
    case q when 0 then 'nps' else printf('s%02d', q) end as question,
    case q when 0 then r % 11 else 1 + r % 5 end as value,
    1769900400000 + d * 86400000 + i % 80000000 as ms
  from a
)
"""
_RECORDS = (
    _SOURCE
    + """insert into records (device, id, epoch, seq, sha256, visit, instant_ms, quality, day, hour,
  received_ms, purged_ms)
select device, id, 'e', i + 1, zeroblob(32), visit, ms, 'synced', day, 10, ms + 60000, 0 from row"""
)
_ANSWERS = (
    _SOURCE
    + """insert into answers (device, visit, question, id, kind, value, language, survey, location,
  channel, layout, instant_ms, quality, day, hour)
select device, visit, question, id, 'scale', value, 'fi', 'county@1', '0003', 'terminal',
  case q when 0 then 'nps-1x11' else 'face-5col' end, ms, 'synced', day, 10 from row order by visit,
  question"""
)
_VISITS = (
    _SOURCE
    + """insert or ignore into visits (device, visit, location, municipality, service, channel,
  survey, language, day, first_ms, how)
select device, visit, '0003', 'Mallikaupunki', 'health-station', 'terminal', 'county@1', 'fi', day,
  ms, 'completed' from row where q = 0"""
)
_COUNTS = """
insert into daily_counts (day, question, device, location, municipality, service, channel, survey,
  language, layout, mode, flagged, test, value, n)
select a.day, a.question, a.device, a.location, 'Mallikaupunki', 'health-station', a.channel,
  a.survey, a.language, a.layout, a.mode, 0, a.test, a.value, count(*)
from answers a group by a.day, a.question, a.device, a.layout, a.test, a.value
"""
