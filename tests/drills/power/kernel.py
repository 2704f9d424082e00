"""The calls of one program done again on the model of a disk."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from tests.drills.power.calls import Argument, Call
from tests.drills.power.model import Disk, Node

_CWD = "AT_FDCWD"
_OF_NO_ACCOUNT = ("sync_file_range", "msync")
"""They make nothing durable: the first says nothing of lengths, the second is of the -shm."""

Place = tuple[Node, str]


class Unmodelled(Exception):  # noqa: N818 - says what is the case
    """A call on our files that the model has no notion of."""


class Kernel:
    """Which descriptor is which file, and what each call means to the disk."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self.disk = disk
        self.root = PurePosixPath(root)
        self._fds: dict[int, tuple[Node, int, bool]] = {}
        """fd → node, position, whether it appends."""

    def apply(self, call: Call) -> bool:
        """Do what a call did; whether the disk has more to write than before."""
        before = len(self.disk.pending)
        handler = getattr(self, f"_{call.name}", None)
        if handler is not None:
            handler(call)
        elif call.name not in _OF_NO_ACCOUNT and self._ours(call):
            raise Unmodelled(f"{call.name} {call.args[:3]}")
        return len(self.disk.pending) > before

    def said(self, call: Call) -> bytes:
        """What the program wrote to its standard output with this call."""
        return call.raw(1) if call.name == "write" and call.args[0] == 1 else b""

    def _ours(self, call: Call) -> bool:
        return any(
            (isinstance(arg, int) and arg in self._fds)
            or (isinstance(arg, bytes) and self._place(arg) is not None)
            for arg in call.args
        )

    def _place(self, raw: bytes, base: Argument = _CWD) -> Place | None:
        """Folder and name of a path; None when it is none of ours."""
        path = PurePosixPath(raw.decode(errors="replace"))
        folder = self.disk.top
        parts = path.parts
        if path.is_absolute():
            if not path.is_relative_to(self.root):
                return None
            parts = path.relative_to(self.root).parts
        elif isinstance(base, int) and base in self._fds:
            folder = self._fds[base][0]
        else:
            return None
        for part in parts[:-1]:
            folder = folder.seen[part]
        return folder, parts[-1] if parts else ""

    # --- descriptors ------------------------------------------------------------------------------

    def _openat(self, call: Call) -> None:
        self._opened(call.result, self._place(call.raw(1), call.args[0]), call.flags(2))

    def _open(self, call: Call) -> None:
        self._opened(call.result, self._place(call.raw(0)), call.flags(1))

    def _opened(self, fd: int, place: Place | None, flags: set[str]) -> None:
        # The number may have been another file's before.
        self._fds.pop(fd, None)
        if place is None:
            return
        folder, name = place
        node = folder.seen.get(name) if name else self.disk.top
        if node is None:
            if "O_CREAT" not in flags:
                raise Unmodelled(f"{name} comes from nowhere")
            node = self.disk.create(folder, name)
        elif "O_TRUNC" in flags:
            self.disk.resize(node, 0)
        self._fds[fd] = (node, 0, "O_APPEND" in flags)

    def _close(self, call: Call) -> None:
        self._fds.pop(call.number(0), None)

    def _lseek(self, call: Call) -> None:
        if call.number(0) in self._fds:
            node, _, append = self._fds[call.number(0)]
            self._fds[call.number(0)] = (node, call.result, append)

    # --- content ----------------------------------------------------------------------------------

    def _write(self, call: Call) -> None:
        if call.number(0) in self._fds:
            node, at, append = self._fds[call.number(0)]
            at = node.length if append else at
            self.disk.write(node, at, call.raw(1)[: call.result])
            self._fds[call.number(0)] = (node, at + call.result, append)

    def _pwrite64(self, call: Call) -> None:
        if call.number(0) in self._fds:
            node = self._fds[call.number(0)][0]
            self.disk.write(node, call.number(3), call.raw(1)[: call.result])

    def _ftruncate(self, call: Call) -> None:
        if call.number(0) in self._fds:
            self.disk.resize(self._fds[call.number(0)][0], call.number(1))

    def _fallocate(self, call: Call) -> None:
        if call.number(0) in self._fds:
            if call.number(1) != 0:
                raise Unmodelled(f"fallocate {call.args}")
            node = self._fds[call.number(0)][0]
            self.disk.resize(node, max(node.length, call.number(2) + call.number(3)))

    def _mmap(self, call: Call) -> None:
        fd = call.args[4]
        shared = "MAP_SHARED" in call.flags(3) and "PROT_WRITE" in call.flags(2)
        if shared and isinstance(fd, int) and fd in self._fds and not self._fds[fd][0].index:
            raise Unmodelled("a file is written through memory")

    def _fsync(self, call: Call) -> None:
        if call.number(0) in self._fds:
            self.disk.sync(self._fds[call.number(0)][0])

    _fdatasync = _fsync

    # --- names ------------------------------------------------------------------------------------

    def _mkdir(self, call: Call) -> None:
        self._made(self._place(call.raw(0)))

    def _mkdirat(self, call: Call) -> None:
        self._made(self._place(call.raw(1), call.args[0]))

    def _made(self, place: Place | None) -> None:
        if place is not None:
            self.disk.create(*place, directory=True)

    def _unlink(self, call: Call) -> None:
        self._gone(self._place(call.raw(0)))

    _rmdir = _unlink

    def _unlinkat(self, call: Call) -> None:
        self._gone(self._place(call.raw(1), call.args[0]))

    def _gone(self, place: Place | None) -> None:
        if place is not None:
            self.disk.name((*place, None))

    def _rename(self, call: Call) -> None:
        self._moved(self._place(call.raw(0)), self._place(call.raw(1)))

    def _renameat(self, call: Call) -> None:
        self._moved(self._place(call.raw(1), call.args[0]), self._place(call.raw(3), call.args[2]))

    _renameat2 = _renameat

    def _moved(self, old: Place | None, new: Place | None) -> None:
        if old is None and new is None:
            return
        if old is None or new is None:
            raise Unmodelled("a file comes from elsewhere, or goes there")
        # The new name first: a file is never without one.
        self.disk.name((*new, old[0].seen[old[1]]), (*old, None))
