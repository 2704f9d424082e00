from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import Memory, Office, few, recall, remembered
from tests.sync.collector.world import Centre, running


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County.copied(tmp_path / "device-config")


@pytest.fixture(scope="session")
def running_centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    with running(str(tmp_path_factory.mktemp("centre") / "centre.db")) as found:
        yield found


@pytest.fixture
def office(running_centre: Centre, county: County, tmp_path: Path) -> Office:
    """A desk with a county's files, and a centre that has heard of nothing but the operator."""
    running_centre.clean()
    few(county)
    return Office(running_centre, county, tmp_path / "keys")


@pytest.fixture(scope="session")
def first_publication(
    running_centre: Centre, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Memory]:
    """The keys of a desk that has published once, and what the centre knows then."""
    folder = tmp_path_factory.mktemp("first")
    running_centre.clean()
    desk = Office(running_centre, few(County.copied(folder / "device-config")), folder / "keys")
    desk.ok("publish")
    return desk.keys, remembered(running_centre)


@pytest.fixture
def published(
    running_centre: Centre,
    county: County,
    tmp_path: Path,
    first_publication: tuple[Path, Memory],
) -> Office:
    """The same, after the first `publish`."""
    keys, memory = first_publication
    shutil.copytree(keys, tmp_path / "keys")
    running_centre.clean()
    recall(running_centre, memory)
    return Office(running_centre, few(county), tmp_path / "keys", registered=True)
