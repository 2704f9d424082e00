from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The helpers stand beside the tests, which are no package.
sys.path.insert(0, str(Path(__file__).parent))

from centre import Centre


@pytest.fixture
def centre(tmp_path: Path) -> Centre:
    return Centre.on(tmp_path)
