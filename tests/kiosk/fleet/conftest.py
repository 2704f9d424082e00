from __future__ import annotations

from pathlib import Path

import pytest

from tests.kiosk.fleet.county import County


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County.copied(tmp_path / "device-config")
