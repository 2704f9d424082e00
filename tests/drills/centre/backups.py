"""A centre restored from yesterday's copy is filled again by devices that go on sending."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg

from tests import postgres
from tests.drills.centre.couriers import Fleet, fleet
from tests.drills.centre.kills import BATCH
from tests.drills.centre.process import until
from tests.drills.centre.servers import settled
from tests.drills.centre.site import Site


class Copy:
    """A copy of the database, taken while the centre runs."""

    def __init__(self, place: Site) -> None:
        self._place = place
        self._file = place.folder / "copy"
        if place.sqlite:
            import sqlite3

            source = sqlite3.connect(f"file:{self._path()}?mode=ro", uri=True)
            target = sqlite3.connect(self._file)
            source.backup(target)
            source.close()
            target.close()
        else:
            self._run("pg_dump", "-Fc", "-f", str(self._file), "-d", self._place.database)

    def _path(self) -> Path:
        return Path(self._place.database.removeprefix("sqlite:///"))

    @staticmethod
    def _run(*words: str) -> None:
        program = str(postgres.programs() / words[0])
        subprocess.run([program, *words[1:]], check=True, capture_output=True, timeout=120)

    def restore(self) -> None:
        """Put it in the database's place; the centre must be stopped."""
        if self._place.sqlite:
            for old in self._path().parent.glob(f"{self._path().name}*"):
                old.unlink()
            shutil.copyfile(self._file, self._path())
            return
        url = self._place.database
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        fresh = f"{name}_copy"
        with psycopg.connect(url.replace(f"/{name}", "/postgres"), autocommit=True) as admin:
            admin.execute(f"create database {fresh}")  # type: ignore[arg-type]
            self._run("pg_restore", "-d", url.replace(f"/{name}", f"/{fresh}"), str(self._file))
            # At one stroke, as a standby that lacks the newest commits takes over.
            admin.execute(f"alter database {name} allow_connections false")  # type: ignore[arg-type]
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
            )
            until(lambda: _gone(admin, name), "nobody uses the database")
            admin.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]
            admin.execute(f"alter database {fresh} rename to {name}")  # type: ignore[arg-type]


def _gone(admin: psycopg.Connection[Any], name: str | bytes | int | None) -> bool:
    found = admin.execute("select count(*) from pg_stat_activity where datname = %s", (name,))
    return found.fetchone() == (0,)


def restored(place: Site, *, running: bool = False) -> list[str]:
    """Restored while devices drain; `running`: under a centre that goes on (PostgreSQL)."""
    with fleet(place, 3, size=BATCH) as senders:
        senders.make(4 * BATCH)
        senders.onwards(4 * BATCH)
        copy = Copy(place)
        senders.make(6 * BATCH)
        senders.onwards(10 * BATCH)
        _restore(place, copy, running=running)
        senders.make(2 * BATCH)
        wrong = settled(place, senders)
        if not any(courier.rewound for courier in senders.couriers):
            wrong.append("no device had to rewind: the copy was as new as the database")
        if lost := _lost(place):
            wrong.append(f"{lost} are booked as lost")
        return wrong


def _restore(place: Site, copy: Copy, *, running: bool = False) -> None:
    if not running:
        place.centre.stop()
    copy.restore()
    if not running:
        assert place.command("restored").wait() == 0
        place.start_centre()


def _lost(place: Site) -> int:
    return int(place.rows("select coalesce(sum(lost), 0) from epochs")[0][0])


def pruned(place: Site) -> list[str]:
    """What a device has pruned since the copy was taken is gone, and counted as that."""
    with fleet(place, 1, size=BATCH) as senders:
        courier = senders.couriers[0]
        senders.make(2 * BATCH)
        senders.drain()
        copy = Copy(place)
        senders.make(4 * BATCH)
        senders.drain()
        senders.hold()
        courier.pruned = 4 * BATCH
        _restore(place, copy)
        senders.make(BATCH)
        senders.release()
        senders.drain()
        senders.hold()
        return _counted(place, senders, gone=2 * BATCH)


def _counted(place: Site, senders: Fleet, gone: int) -> list[str]:
    courier = senders.couriers[0]
    wrong = place.differences() + courier.refused
    if _lost(place) != gone:
        wrong.append(f"{_lost(place)} are booked as lost, {gone} are")
    ids = {str(row[0]) for row in place.rows("select id from records")}
    should = {row.id for row in courier.rows if not 2 * BATCH < row.seq <= 2 * BATCH + gone}
    if ids != should:
        wrong.append(f"{len(ids)} records where {len(should)} should be")
    return wrong
