from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sync.collector.store import open_store
from tests.sync.reports.centre import Centre


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One fresh database, copied for each test: migrating takes longer than reporting."""
    path = tmp_path_factory.mktemp("migrated") / "centre.db"
    open_store(f"sqlite:///{path}", fresh=True).close()
    return path


@pytest.fixture
def centre(tmp_path: Path, migrated: Path) -> Centre:
    shutil.copy(migrated, tmp_path / "centre.db")
    return Centre.on(tmp_path)
