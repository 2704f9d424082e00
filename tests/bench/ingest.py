"""Ingest on PostgreSQL beside bare COPY of the same records, on one cluster with fsync on.

Ours takes a batch as it comes off the network: signature, decompression, validation, one
transaction with records, visits, answers and all counts, the receipt. COPY puts the same rows (seq,
id, bytes) into one table with a primary key, a transaction a batch. By turns, one connection each.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.bench.figures import Figure, middle_half, quantiles
from tests.bench.posting import Desk, Row
from tests.bench.samples import records
from tests.postgres import PostgresMissingError, running

BATCH = 500


def measure(_folder: Path, *, rounds: int = 40) -> list[Figure]:
    """Records per second of both in batches of 500, milliseconds a batch, and the ratio."""
    try:
        with running(fsync="on", synchronous_commit="on") as cluster:
            return _measure(cluster.database(), cluster.database(), rounds)
    except PostgresMissingError as error:
        why = str(error)
        return [
            Figure("ingest: hymio on PostgreSQL", None, "records/s", why),
            Figure("ingest: hymio ÷ bare COPY", None, "×", why),
        ]


def _measure(ours: str, theirs: str, rounds: int) -> list[Figure]:
    desk = Desk(ours)
    taken: list[float] = []
    copied: list[float] = []
    try:
        with psycopg.connect(theirs) as plain:
            plain.execute("create table records (seq bigint, id text primary key, rec bytea)")
            plain.commit()
            asked = [
                plain.execute(f"show {name}").fetchone() for name in ("fsync", "synchronous_commit")
            ]
            assert asked == [("on",), ("on",)], asked
            # The first batches are not counted.
            for turn in range(-2, rounds):
                rows = desk.rows(records(BATCH, seed=turn + 3))
                if turn % 2:
                    ours_s, theirs_s = desk.post(rows), copy(plain, rows)
                else:
                    theirs_s, ours_s = copy(plain, rows), desk.post(rows)
                if turn >= 0:
                    taken.append(ours_s)
                    copied.append(theirs_s)
            stored = desk.count("records")
            assert stored == (rounds + 2) * BATCH, f"{stored} stored"
    finally:
        desk.close()
    each = [b / a for a, b in zip(taken, copied, strict=True)]
    return [
        _rate("ingest: hymio on PostgreSQL", taken, "signature to commit: all tables and counts"),
        _rate("ingest: bare COPY, one table", copied, "with its primary key"),
        Figure(
            "ingest: hymio ÷ bare COPY",
            statistics.median(each),
            "×",
            f"{rounds} batches of {BATCH} by turns, {middle_half(each)};"
            " fsync and synchronous_commit on",
        ),
        _batch("ingest: a batch of hymio", taken),
        _batch("ingest: a batch of COPY", copied),
    ]


def copy(plain: psycopg.Connection, rows: Sequence[Row]) -> float:
    """COPY the rows in one transaction; the seconds."""
    began = time.perf_counter()
    with plain.cursor() as cursor, cursor.copy("copy records from stdin") as into:
        for row in rows:
            into.write_row(row)
    plain.commit()
    return time.perf_counter() - began


def _rate(name: str, seconds: Sequence[float], note: str) -> Figure:
    return Figure(name, BATCH / statistics.median(seconds), "records/s", note)


def _batch(name: str, seconds: Sequence[float]) -> Figure:
    middle, late = quantiles(seconds)
    note = f"{BATCH} records; p50; p95 {late * 1e3:.1f}, n = {len(seconds)}"
    return Figure(name, middle * 1e3, "ms", note)
