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


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with running(str(tmp_path_factory.mktemp("centre") / "centre.db")) as found:
        yield found


@pytest.fixture(scope="session")
def postgres_server(cluster: postgres.Cluster) -> Iterator[Centre]:
    with running(cluster.database()) as found:
        yield found


def _fresh(centre: Centre) -> Centre:
    centre.clean()
    centre.set_up("d1", "d2")
    return centre


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def centre(request: pytest.FixtureRequest) -> Centre:
    """A running centre with a catalogue and two devices in it, and nothing from them."""
    name = "sqlite_server" if request.param == "sqlite" else "postgres_server"
    return _fresh(request.getfixturevalue(name))


@pytest.fixture
def sqlite_centre(sqlite_server: Centre) -> Centre:
    """The same on SQLite, for what does not depend on the database."""
    return _fresh(sqlite_server)
