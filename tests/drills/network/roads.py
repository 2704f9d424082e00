"""A device and its centre with a whole network between them: its weather, and its names."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sync.datadir import DataDir, read_json, write_json
from tests.drills.network.cable import FINE, RESOLVER, THERE, THERE_6, THERE_TOO, Cable, Weather
from tests.drills.network.certificates import Authority
from tests.drills.network.middle import Middle
from tests.drills.network.names import NAME, NO_NAME, NO_SERVER, Names
from tests.drills.part import Options, Row
from tests.faults.field import FieldDevice
from tests.faults.house import Child, House, house

SPEED = 60.0
"""How much faster the sender's clock runs: fifteen minutes of backing off are 15 s."""
DEADLINE_S = 3.0
"""Of an exchange. It is real time: packets need theirs."""
BAD_S = 12.0
"""How long the weather stays bad when nothing gets through."""
LIMIT_S = 90.0
"""Once all is well, everything has to be at the centre within."""
RECORDS = 1500
ITEMS = 250
"""Records in a batch."""


@dataclass(frozen=True, slots=True)
class Road:
    """What is bad for a while between a device and its centre."""

    name: str
    weather: Weather = FINE
    says: str | int | bytes | None = THERE
    """What the name server says."""
    blocked: bool = False
    """Nothing can get through."""
    at_once: bool = True
    """Bad before the first exchange; else when the drain has begun."""
    six: tuple[str, ...] = ()
    """The centre's addresses of IPv6."""
    stays: bool = False
    """It does not get better: a device has to get along with it."""


ROADS = (
    Road("30 % of packets lost", Weather(loss=0.3)),
    Road("30 % of packets twice, 40 % overtaken", Weather(twice=0.3, late=0.4)),
    Road("10 % of packets with a bit changed", Weather(harmed=0.1)),
    Road("2 s one way", Weather(delay_s=2.0), blocked=True),
    Road("packets above 600 bytes vanish", Weather(most=600), blocked=True),
    Road("up for 0.7 s, down for 0.7 s", Weather(up_s=0.7)),
    Road("nothing gets through", Weather(loss=1.0), blocked=True),
    Road("nothing gets through, in mid-drain", Weather(loss=1.0), blocked=True, at_once=False),
    Road("name server silent", says=None, blocked=True),
    Road("no such name", says=NO_NAME, blocked=True),
    Road("name server fails", says=NO_SERVER, blocked=True),
    Road("name server answers rubbish", says=b"\x81\x80" + b"\xff" * 90, blocked=True),
    Road("name without an address", says=0, blocked=True),
    Road("address of nobody", says="10.99.0.77", blocked=True),
    Road("address changes in mid-drain", Weather(dead=THERE), THERE_TOO, at_once=False, stays=True),
    Road("IPv6 alone", says=0, six=THERE_6[:1], stays=True),
    Road("IPv6 leads nowhere", Weather(most_6=0), six=THERE_6, stays=True),
    Road("IPv6 ends in mid-drain", Weather(most_6=0), six=THERE_6, at_once=False, stays=True),
    Road("IPv4 leads nowhere", Weather(dead=THERE), six=THERE_6[:1], stays=True),
    Road("IPv6 packets above 1,000 bytes vanish", Weather(most_6=1000), six=THERE_6, stays=True),
)  # fmt: skip


class Travel:
    """One road, travelled; what is wrong is in `wrong`."""

    def __init__(self, home: House, number: int, road: Road, authority: Authority) -> None:
        self.home, self.number, self.road, self.authority = home, number, road, authority
        self.wrong: list[str] = []
        self.took_s = 0.0
        """From good weather to everything at the centre, in real seconds."""

    def go(self, stop: threading.Event) -> None:
        """Send through it, and after it. Raises OSError without leave to make namespaces."""
        tls = self.authority.server(NAME)
        with contextlib.ExitStack() as end:
            cable = end.enter_context(Cable(self.number))
            middle = Middle(self.home.port, tls, listen=cable.listen, items=ITEMS)
            end.callback(middle.close)
            names = Names(cable.there(_name_socket), THERE, self.road.six)
            end.callback(names.close)
            address = f"https://{NAME}:{middle.port}"
            device = FieldDevice(self.home, self.number, at=address)
            end.callback(device.close)
            self._send(device, cable, names, stop)

    def _send(self, device: FieldDevice, cable: Cable, names: Names, stop: threading.Event) -> None:
        data, road = DataDir(device.root), self.road
        wish = read_json(data.enrol_json) or {}
        write_json(data.enrol_json, {**wish, "ca_file": str(self.authority.file)})
        device.commit(RECORDS, together=RECORDS)

        def bad() -> None:
            cable.weather, names.says = road.weather, road.says

        if road.at_once:
            bad()
        sender = cable.here(lambda: start_sender(self.home, device, resolver=RESOLVER))
        try:
            if not road.at_once:
                self._until(lambda: self._stored(device) > 0, stop)
                bad()
                device.commit(RECORDS, together=RECORDS)
            self._watch(device, data, stop)
            if not road.stays:
                cable.weather, names.says = FINE, THERE
            began = time.monotonic()
            if not self._until(lambda: self._stored(device) == len(device.ids), stop):
                self.wrong.append(
                    f"{self._stored(device)} of {len(device.ids)} came: {_told(data)}"
                )
            self.took_s = time.monotonic() - began
            # The receipt of the last batch may still be on its way.
            self._until(lambda: not device.check_ledger()["to_send"], stop)
        finally:
            code = sender.stop()
        if code:
            self.wrong.append(f"the sender ends with {code}: {sender.said()[-500:]}")
        self._judge(device)

    def _watch(self, device: FieldDevice, data: DataDir, stop: threading.Event) -> None:
        """While it is bad: nothing false, and the sender says why nothing goes."""
        said: set[str] = set()

        def seen() -> bool:
            told = read_json(data.sender_json) or {}
            enrolment = told.get("enrolment") or {}
            said.update(str(part.get("reason") or "") for part in (told, enrolment))
            return self._stored(device) == len(device.ids)

        self._until(seen, stop, BAD_S)
        if self.road.blocked and not said - {"", "the centre is being asked", "no code yet"}:
            self.wrong.append("the sender does not say why nothing goes")
        self.wrong += [f"in a library's words: {text}" for text in said if "Error" in text]
        if device.check_ledger()["acknowledged"] > self._stored(device):
            self.wrong.append("more is acknowledged than the centre has")

    def _judge(self, device: FieldDevice) -> None:
        try:
            device.check_centre()
        except AssertionError as error:
            self.wrong.append(str(error))
        sums = device.check_ledger()
        if sums["acknowledged"] != sums["created"]:
            self.wrong.append(f"the ledger: {sums}")

    def _stored(self, device: FieldDevice) -> int:
        query = "select count(*) from records where device = ?"
        return int(self.home.rows(query, device.id)[0][0])

    @staticmethod
    def _until(goal: Callable[[], bool], stop: threading.Event, limit_s: float = LIMIT_S) -> bool:
        deadline = time.monotonic() + limit_s
        while not (reached := goal()) and time.monotonic() < deadline and not stop.wait(0.1):
            pass
        return reached


def _name_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((RESOLVER, 53))
    return sock


def _told(data: DataDir) -> str:
    told = read_json(data.sender_json) or {}
    return f"{told.get('state')}, {told.get('reason')}, {told.get('enrolment')}"


def start_sender(
    home: House,
    device: FieldDevice,
    *,
    resolver: str = "",
    speed: float = SPEED,
    deadline_s: float = DEADLINE_S,
) -> Child:
    """A sender of this device, in the namespace of the calling thread, with its own resolver."""
    command = [sys.executable, "-m", "tests.drills.network.sending"]
    command += [str(device.root), str(speed), str(deadline_s)]
    if resolver:
        file = device.root.with_suffix(".resolv")
        file.write_text(f"nameserver {resolver}\n")
        mount = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        # In a mount namespace of its own: nobody else sees that file.
        private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(file)]
        command = private + command
    child = Child(command, home.folder / f"sending-{device.id}.log")
    home.children.append(child)
    return child


def missing() -> str:
    """Why there can be no namespaces here; empty when there can."""
    try:
        with Cable():
            return ""
    except OSError as error:
        return f"no network namespaces and TUN devices here: {error}"


def roads(options: Options) -> Iterator[Row]:
    """Each road with a device of its own, all at once: they mostly wait."""
    chosen = list(ROADS[:: options.step])
    why = missing()
    if why:
        yield Row("roads", len(chosen), skipped=why)
        return
    stop = threading.Event()
    if not socket.has_dualstack_ipv6():
        left_out = [road for road in chosen if road.six]
        chosen = [road for road in chosen if not road.six]
        yield Row("roads with IPv6", len(left_out), skipped="no IPv6 here")
    with tempfile.TemporaryDirectory(prefix="hymio-drill-") as folder:
        authority = Authority(Path(folder))
        with house(Path(folder), devices=len(chosen)) as home:
            travels = [Travel(home, n, road, authority) for n, road in enumerate(chosen)]
            with ThreadPoolExecutor(len(travels)) as pool:
                try:
                    done = [pool.submit(travel.go, stop) for travel in travels]
                    for travel, future in zip(travels, done, strict=True):
                        yield _row(travel, future.exception())
                finally:
                    stop.set()


def _row(travel: Travel, error: BaseException | None) -> Row:
    wrong = travel.wrong + ([f"the drill ends with {error!r}"] if error else [])
    note = f"{travel.took_s:.0f} s after it was over" if travel.road.blocked else ""
    return Row(f"road: {travel.road.name}", 1, wrong, note)
