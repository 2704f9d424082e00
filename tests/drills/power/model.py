"""A disk that loses power: what is durable, and what only waits to be written.

A write is durable once its file was fsynced, a name once its folder was; until then each of them
may or may not be there after a power cut, in any combination. Real file systems promise more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

State = Mapping[str, bytes | None]
"""Paths below the root and what is there: the bytes of a file, None for a folder."""


class Node:
    """A file or a folder."""

    def __init__(self, *, folder: bool = False, index: bool = False) -> None:
        self.folder = folder
        self.index = index
        """SQLite's -shm: an index of the WAL in shared memory, made anew after a crash."""
        self.data = bytearray()
        """What is durable of a file."""
        self.length = 0
        """How long the file is for the running program."""
        self.names: dict[str, Node] = {}
        """What is durable of a folder."""
        self.seen: dict[str, Node] = {}
        """What is in the folder for the running program."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes on their way into a file."""

    node: Node
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Length:
    """A file cut or lengthened with zeros."""

    node: Node
    length: int


@dataclass(frozen=True, slots=True)
class Names:
    """Entries of folders set or (None) removed, all or none."""

    changes: tuple[tuple[Node, str, Node | None], ...]


Pending = Write | Length | Names


class Disk:
    """Files below a top folder, which itself is durable."""

    def __init__(self, state: State | None = None) -> None:
        self.top = Node(folder=True)
        self.pending: list[Pending] = []
        """What is not durable yet, oldest first."""
        for path, data in sorted((state or {}).items()):
            *way, name = PurePosixPath(path).parts
            folder = self.top
            for part in way:
                folder = folder.names[part]
            node = folder.names[name] = folder.seen[name] = Node(folder=data is None)
            node.data = bytearray(data or b"")
            node.length = len(node.data)

    # --- what a program does ----------------------------------------------------------------------

    def create(self, folder: Node, name: str, *, directory: bool = False) -> Node:
        """A new file or folder."""
        node = Node(folder=directory, index=name.endswith("-shm"))
        self.name((folder, name, node))
        return node

    def name(self, *changes: tuple[Node, str, Node | None]) -> None:
        """Set or (None) remove entries, all or none."""
        for folder, name, node in changes:
            if node is None:
                folder.seen.pop(name, None)
            else:
                folder.seen[name] = node
        self.pending.append(Names(changes))

    def write(self, node: Node, at: int, data: bytes) -> None:
        """Write into a file."""
        node.length = max(node.length, at + len(data))
        if not node.index:
            self.pending.append(Write(node, at, bytes(data)))

    def resize(self, node: Node, length: int) -> None:
        """Cut or lengthen a file."""
        if length != node.length and not node.index:
            self.pending.append(Length(node, length))
        node.length = length

    def sync(self, node: Node) -> None:
        """Make durable what a file holds, or the entries of a folder; never both."""
        left: list[Pending] = []
        for item in self.pending:
            if isinstance(item, Names):
                mine = [at for at, change in enumerate(item.changes) if change[0] is node]
                # Changes before one that is durable are, too: a rename never loses its file.
                upto = mine[-1] + 1 if mine else 0
                _enter(item.changes[:upto], None)
                if item.changes[upto:]:
                    left.append(Names(item.changes[upto:]))
            elif item.node is node:
                _put(item, node.data)
            else:
                left.append(item)
        self.pending = left

    # --- what becomes of it -----------------------------------------------------------------------

    def write_back(self, chosen: Collection[int]) -> None:
        """The kernel writes some of what waits, by its place in `pending`, when it likes to.

        What was written to the same file before goes along: it is one page by now.
        """
        files = {id(item.node): at for at in sorted(chosen)
                 if not isinstance(item := self.pending[at], Names)}  # fmt: skip
        left: list[Pending] = []
        for at, item in enumerate(self.pending):
            if isinstance(item, Names):
                if at in chosen:
                    _enter(item.changes, None)
                else:
                    left.append(item)
            elif at <= files.get(id(item.node), -1):
                _put(item, item.node.data)
            else:
                left.append(item)
        self.pending = left

    def after(self, kept: Sequence[Pending]) -> dict[str, bytes | None]:
        """What is there when the power comes back and only these were written."""
        entries: dict[Node, dict[str, Node]] = {}
        contents: dict[Node, bytearray] = {}
        for item in kept:
            if isinstance(item, Names):
                _enter(item.changes, entries)
            else:
                _put(item, contents.setdefault(item.node, bytearray(item.node.data)))
        found: dict[str, bytes | None] = {}
        for path, node in _walk(self.top, "", entries):
            if node.folder:
                found[path] = None
            elif not node.index:
                found[path] = bytes(contents.get(node, node.data))
        return found


def _walk(
    folder: Node, path: str, entries: Mapping[Node, Mapping[str, Node]]
) -> Iterator[tuple[str, Node]]:
    for name, node in entries.get(folder, folder.names).items():
        yield f"{path}{name}", node
        if node.folder:
            yield from _walk(node, f"{path}{name}/", entries)


def _enter(
    changes: Sequence[tuple[Node, str, Node | None]], entries: dict[Node, dict[str, Node]] | None
) -> None:
    for folder, name, node in changes:
        names = folder.names if entries is None else entries.setdefault(folder, dict(folder.names))
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def _put(item: Write | Length, data: bytearray) -> None:
    end = item.length if isinstance(item, Length) else item.at + len(item.data)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    if isinstance(item, Length):
        del data[item.length :]
    else:
        data[item.at : end] = item.data


def lay_out(state: State, folder: Path) -> None:
    """Write a state down as real files."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in sorted(state.items()):
        place = folder / path
        if data is None:
            place.mkdir(exist_ok=True)
        elif data.count(0) == len(data):
            # A ballast of some megabytes: a hole will do.
            with place.open("wb") as file:
                file.truncate(len(data))
        else:
            place.write_bytes(data)


def read_in(folder: Path) -> dict[str, bytes | None]:
    """The state of real files, without SQLite's index of the WAL."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.glob("**/*"))
        if not path.name.endswith("-shm")
    }
