"""The short form of the drill of networks, and that it catches a sender that is weaker."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from sync.contract import wire
from sync.link import Reply
from sync.session import Grip
from tests.drills.network import cable, device, roads
from tests.drills.network.certificates import Authority
from tests.drills.network.drill import catalogue, tried
from tests.drills.network.middle import Trick, read_exactly
from tests.drills.network.storms import drain
from tests.faults.house import House, house

CHOSEN = (
    "request reset in the body",
    "reply reset before the last byte",
    "request delivered five times at once",
    "request kept, delivered after newer ones",
    "reply of the request before, this one heard",
)
HANGS = "reply a byte at a time"
ENCRYPTED = "intercepted, another authority"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("network"), devices=len(CHOSEN) + 5) as found:
        yield found


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> dict[str, Trick]:
    foreign = Authority(tmp_path_factory.mktemp("foreign"), "foreign")
    return {trick.name: trick for row in catalogue(1, authority, foreign).values() for trick in row}


@pytest.mark.parametrize("name", CHOSEN)
def test_at_every_point_of_a_devices_life(home: House, known: dict[str, Trick], name: str) -> None:
    assert tried(home, next(_numbers), known[name]) == (len(device.POINTS), [])


def test_what_never_ends_is_ended(home: House, known: dict[str, Trick]) -> None:
    points = ("first batch", "configuration")
    assert tried(home, next(_numbers), known[HANGS], points=points) == (2, [])


def test_below_tls(home: House, known: dict[str, Trick], authority: Authority) -> None:
    found = tried(home, next(_numbers), known[ENCRYPTED], authority)
    assert found == (len(device.POINTS), [])


def test_a_drain_where_two_of_three_exchanges_are_spoilt(home: House) -> None:
    cases, wrong = drain(home, next(_numbers), seed=5, records=200, spoilt=30)
    assert cases >= 10
    assert wrong == []


def test_what_is_said_over_a_cable_in_bad_weather_arrives() -> None:
    if why := roads.missing():
        pytest.skip(why)
    with cable.Cable() as road:
        listener = road.listen(0)
        road.weather = cable.Weather(loss=0.1, twice=0.2, late=0.2, harmed=0.1)
        address = (cable.THERE, listener.getsockname()[1])
        with listener:
            road.here(lambda: _echoed(listener, address))
            road.weather = cable.Weather(loss=1.0)
            with pytest.raises(TimeoutError):
                road.here(lambda: socket.create_connection(address, 0.2))


def _echoed(listener: socket.socket, address: tuple[str, int]) -> None:
    said = bytes(range(256)) * 40

    def echo() -> None:
        client, _ = listener.accept()
        with client:
            client.sendall(read_exactly(client, len(said)))

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    with socket.create_connection(address, 120) as sock:
        sock.sendall(said)
        assert read_exactly(sock, len(said)) == said
    thread.join()


# --- does it catch a mistake? ---------------------------------------------------------------------


def test_a_sender_that_believes_any_receipt_is_caught(
    home: House, known: dict[str, Trick], monkeypatch: pytest.MonkeyPatch
) -> None:
    def believing(reply: Reply, **_: str) -> wire.Receipt | None:
        return msgspec.json.decode(reply.body, type=wire.Receipt) if reply.status == 200 else None

    monkeypatch.setattr("sync.exchange.verified", believing)
    _, wrong = tried(home, next(_numbers), known["receipt of another batch"])
    assert any("acknowledged by what is no receipt" in text for text in wrong)
    assert any("more is acknowledged than the centre has" in text for text in wrong)


def test_a_sender_that_only_turns_away_from_what_hangs_is_caught(
    home: House, known: dict[str, Trick], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go: list[Grip] = []
    really = Grip.break_off
    monkeypatch.setattr(Grip, "break_off", let_go.append)
    monkeypatch.setattr(device, "CALM_S", 2.0)
    number = next(_numbers)
    try:
        _, wrong = tried(home, number, known[HANGS], points=("first batch",))
    finally:
        for grip in let_go:
            really(grip)
    assert any("still going on" in text for text in wrong)
