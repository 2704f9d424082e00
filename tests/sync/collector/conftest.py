"""The same tests on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.sync.collector.world import Centre, running


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.running() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'centre.db'}"
    cluster: postgres.Cluster = request.getfixturevalue("cluster")
    return cluster.database()


@pytest.fixture
def centre(database: str) -> Iterator[Centre]:
    """A running centre with a catalogue and one device in it."""
    with running(database) as found:
        found.set_up("d1", "d2")
        yield found


@pytest.fixture
def sqlite_centre(tmp_path: Path) -> Iterator[Centre]:
    """A running centre on SQLite, for what does not depend on the database."""
    with running(str(tmp_path / "centre.db")) as found:
        found.set_up("d1", "d2")
        yield found
