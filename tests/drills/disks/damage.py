"""What can become of a device's files between two runs, and what must come of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.recorder import RecorderError
from sync.epoch import PAGE_BYTES, EpochReader
from tests.drills.site import Device, House

WAL_HEADER, FRAME = 32, 24 + PAGE_BYTES


@dataclass
class Image:
    """A device as a power cut leaves it: records at the centre, in the file, in its WAL."""

    root: Path
    made: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    cells: dict[str, bytes] = field(default_factory=dict)
    """Id → the bytes of a row that must be there for it to be recoverable."""

    @property
    def device(self) -> Path:
        return self.root / "device"


def take_image(root: Path, *, pruned: bool = False, sent: bool = False) -> Image:
    """Run a device for a while and copy its files as they are in the middle of it."""
    live = root / "live"
    house = House(root / "centre.db")
    device = Device(live, house.post).open()
    image = Image(root)
    device.commit(*[1] * 20)
    assert device.drain()
    device.tend()
    device.commit(*[1] * 3)
    shutil.copytree(live, root / "older")
    _another(root / "other")
    device.commit(*[1] * 20)
    assert device.drain()
    if not pruned:
        device.commit(*[1] * 60)
    device.tend()
    device.commit(*[1] * 50)
    if sent:
        assert device.sender is not None
        while device.sender.waiting().backlog:
            device.sender.step(eager=True)
            device.now += 500
    assert device.recorder is not None
    with EpochReader(device.data.epoch_file(device.recorder.epoch)) as reader:
        for row in reader.rows(0, 10_000):
            image.cells[row.id] = row.id.encode() + row.rec + row.sha256.encode()
    shutil.copytree(live, image.device)
    image.made, image.acknowledged = device.made, device.acknowledged
    device.close()
    house.store.close()
    shutil.rmtree(live)
    return image


def _another(root: Path) -> None:
    """A device that has nothing to do with this one."""
    device = Device(root / "live", lambda *_: (503, b"", ""))
    device.open_recorder()
    device.commit(*[1] * 30)
    shutil.copytree(root / "live" / "outbox", root / "outbox")
    device.close()


@dataclass(frozen=True)
class Harm:
    """One thing done to the files."""

    name: str
    do: Callable[[Path], None]
    unseen: int = 0
    """So many records may go without being counted: nothing is left that tells of them."""
    forgets: bool = False
    """The sender forgets how far it got: pruned answers the centre has may count as lost."""


def the(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def overwrite(pattern: str, at: int, length: int, *, zeros: bool = False) -> Callable[[Path], None]:
    """Garbage over a stretch of a file."""

    def do(device: Path) -> None:
        garbage = bytes(length) if zeros else random.Random(at).randbytes(length)
        with the(device, pattern).open("r+b") as file:
            file.seek(at)
            file.write(garbage)

    return do


def copied(pattern: str, source: Path) -> Callable[[Path], None]:
    def do(device: Path) -> None:
        shutil.copy(the(source, pattern), the(device, pattern))

    return do


def cut(pattern: str, length: int) -> Callable[[Path], None]:
    def do(device: Path) -> None:
        with the(device, pattern).open("r+b") as file:
            file.truncate(length)

    return do


DB, WAL = "outbox/[!.]*.db", "outbox/*.db-wal"
MANY = 1000


def in_place(image: Image) -> Iterator[Harm]:
    """Every page of the file, every frame of the WAL, headers, lengths."""
    db = the(image.device, DB).stat().st_size
    wal = the(image.device, WAL).stat().st_size
    for zeros in (False, True):
        kind = "zeros" if zeros else "garbage"
        for page in range(db // PAGE_BYTES):
            yield Harm(f"{kind} in page {page + 1} of the file",
                       overwrite(DB, page * PAGE_BYTES, PAGE_BYTES, zeros=zeros))  # fmt: skip
        for frame in range((wal - WAL_HEADER) // FRAME):
            # Of the newest commit nobody can tell from a power cut whether it was acknowledged.
            spoil = overwrite(WAL, WAL_HEADER + frame * FRAME, FRAME, zeros=zeros)
            yield Harm(f"{kind} in frame {frame + 1} of the WAL", spoil, 1)
        yield Harm(f"{kind} in the header of the file", overwrite(DB, 0, 100, zeros=zeros))
        yield Harm(f"{kind} in the header of the WAL", overwrite(WAL, 0, 32, zeros=zeros))
        yield Harm(f"{kind} in the whole WAL", overwrite(WAL, 0, wal, zeros=zeros), MANY)
    for share in (0, 1, 2, 3):
        yield Harm(f"the file cut to {share} quarters", cut(DB, db * share // 4))
        yield Harm(f"the WAL cut to {share} quarters", cut(WAL, wal * share // 4), MANY)
    yield Harm("the file cut in a page", cut(DB, db // 2 + 700))


def memory(image: Image) -> Iterator[Harm]:
    """The sender's own file."""
    for path in sorted(image.device.glob("sync.db*")):
        if path.name.endswith("-shm"):
            continue
        forgets = path.name.endswith("-wal")
        for at in range(0, path.stat().st_size, PAGE_BYTES):
            spoil = overwrite(path.name, at, PAGE_BYTES)
            yield Harm(f"garbage in {path.name} at {at}", spoil, forgets=forgets)
        yield Harm(f"{path.name} is empty", cut(path.name, 0), forgets=forgets)


def exchanged(image: Image) -> Iterator[Harm]:
    """Files deleted, or replaced by others."""

    def no_wal(device: Path) -> None:
        the(device, WAL).unlink()

    def no_file(device: Path) -> None:
        the(device, DB).unlink()

    def no_pointer(device: Path) -> None:
        (device / "outbox/current.json").unlink()

    def older(pattern: str) -> Callable[[Path], None]:
        return copied(pattern, image.root / "older")

    def other(pattern: str) -> Callable[[Path], None]:
        return copied(pattern, image.root / "other")

    def both(*harms: Callable[[Path], None]) -> Callable[[Path], None]:
        def do(device: Path) -> None:
            for harm in harms:
                harm(device)

        return do

    def whole(device: Path) -> None:
        shutil.rmtree(device)
        shutil.copytree(image.root / "older", device)

    def no_memory(device: Path) -> None:
        for path in device.glob("sync.db*"):
            path.unlink()

    yield Harm("the WAL deleted", no_wal, MANY)
    yield Harm("the pointer deleted", no_pointer)
    yield Harm("the file deleted", no_file, MANY)
    yield Harm("file and WAL deleted", both(no_file, no_wal), MANY)
    yield Harm("an older file", older(DB), MANY)
    yield Harm("an older file without WAL", both(older(DB), no_wal), MANY)
    yield Harm("an older file with its WAL", both(older(DB), older(WAL)), MANY)
    yield Harm("an older WAL", older(WAL), MANY)
    yield Harm("the whole card as it was earlier", whole, MANY)
    yield Harm("no sync.db", no_memory)
    yield Harm("another device's WAL", other(WAL), MANY)
    yield Harm("no sync.db, an older file with its WAL",
               both(no_memory, older(DB), older(WAL)), MANY)  # fmt: skip


def tried(image: Image, harm: Harm, place: Path, after: int = 25) -> list[str]:
    """Do the harm, start everything, go on working, and say what is wrong in the end."""
    root = place / "device"
    shutil.copytree(image.device, root)
    shutil.copy(image.root / "centre.db", place / "centre.db")
    harm.do(root)
    left = b"\0".join(
        path.read_bytes() for path in [*root.glob("outbox/*.db"), *root.glob("outbox/*.db-wal")]
    )
    house = House(place / "centre.db", fresh=False)
    there = set(house.ids())
    whole = [i for i in image.acknowledged if i in there or image.cells.get(i, b"\0\1") in left]
    device = Device(root, house.post, made=list(image.made))
    try:
        device.open()
        device.commit(*[1] * after)
        if not device.drain():
            assert device.sender is not None
            return [f"it does not go on: {device.sender.state} {device.sender.reason}"]
        device.commit(1, 2)
        if not device.drain():
            return ["it does not go on after a while"]
        wrong = device.wrong(house, [*whole, *device.acknowledged])
        gone = len(image.acknowledged) - len(set(house.ids()) & set(image.acknowledged))
        lost = device.lost()
        if lost < gone - harm.unseen or (lost > gone and not harm.forgets):
            wrong.append(f"{gone} are gone, and the ledger says {lost}")
        return wrong
    except RecorderError as error:
        return [f"the terminal does not go on: {error}"]
    finally:
        device.close()
        house.store.close()
