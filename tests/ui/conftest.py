"""Real windows: a virtual screen, the terminal started as an administrator starts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sync.contract.bundle import Bundle
from tests.faults.terminal import Terminal, terminal
from tests.ui.stage import bundle


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts a terminal on a screen of its own and waits for the resting screen."""
    with ExitStack() as stack:

        def start(config: Bundle | None = None, **fields: Any) -> Terminal:
            found = stack.enter_context(
                terminal(config or bundle(**fields), tmp_path / "data", tmp_path / "log")
            )
            found.start()
            return found

        yield start
