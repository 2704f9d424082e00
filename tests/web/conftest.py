from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from sync.collector.app import create_app
from sync.collector.store import open_store
from sync.collector.web import add_user
from tests.web.chromium import ARGS, PATIENCE_MS
from tests.web.county import NOW, furnish
from tests.web.fleet import equip
from tests.web.site import NAME, PASSWORD, Clock, Site


@contextlib.contextmanager
def serving(folder: Path, *, answers: bool) -> Iterator[Site]:
    """A real centre on a port of its own, with an account and a clock that can be set."""
    url = f"sqlite:///{folder / 'centre.db'}"
    with open_store(url, fresh=True) as store:
        furnish(store, answers=answers)
        add_user(store, NAME, PASSWORD, role="viewer", now_ms=0)
    clock = Clock(NOW.timestamp())
    app = create_app(url, now=clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Site(f"http://127.0.0.1:{port}", url, clock)
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A county with a year of answers; read only."""
    with serving(tmp_path_factory.mktemp("county"), answers=True) as site:
        yield site


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Devices in every state; read only."""
    with serving(tmp_path_factory.mktemp("fleet"), answers=False) as site:
        equip(site)
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A centre without answers, for what a test changes."""
    with serving(tmp_path, answers=False) as found:
        yield found


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Site]]:
    return lambda **options: serving(tmp_path, **options)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        found = play.chromium.launch(
            executable_path="/usr/bin/chromium", args=ARGS, timeout=PATIENCE_MS
        )
        yield found
        found.close()
