from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import Office, few
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


@pytest.fixture
def published(office: Office) -> Office:
    """The same, after the first `publish`."""
    office.ok("publish")
    return office
