"""System calls as `strace -xx` writes them down."""

from __future__ import annotations

import re
from dataclasses import dataclass

TRACED = (
    "open,openat,creat,close,dup,dup2,dup3,lseek,write,pwrite64,writev,pwritev,pwritev2,ftruncate,"
    "truncate,fallocate,fsync,fdatasync,sync_file_range,sync,syncfs,copy_file_range,sendfile,"
    "rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,mkdir,mkdirat,"
    "mmap,msync"
)
"""Every call that changes a file or a folder, makes it durable, or says which file is meant."""
LONGEST = 1 << 20
"""Bytes of a string strace is asked to show."""
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?).*", re.DOTALL)
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_NUMBER = re.compile(r"-?(0x[0-9a-f]+|\d+)")

Argument = str | int | bytes


class CannotRead(Exception):  # noqa: N818 - says what is the case
    """A line of a trace that is not understood; a drill that skipped it would prove nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One finished system call."""

    name: str
    args: tuple[Argument, ...]
    result: int

    def number(self, index: int) -> int:
        """An argument that is a number."""
        found = self.args[index]
        if not isinstance(found, int):
            raise CannotRead(f"{self.name}: {found!r} is no number")
        return found

    def raw(self, index: int) -> bytes:
        """An argument that is a string."""
        found = self.args[index]
        if not isinstance(found, bytes):
            raise CannotRead(f"{self.name}: {found!r} is no string")
        return found

    def flags(self, index: int) -> set[str]:
        """An argument that is names joined by bars."""
        return set(str(self.args[index]).split("|")) if index < len(self.args) else set()


def parse(line: str) -> Call | None:
    """The call of a line; None for a signal, an exit and a call that failed."""
    if "<unfinished" in line or "resumed>" in line:
        raise CannotRead(f"two threads at once: {line[:100]}")
    if re.match(r"(?:\d+ +)?(---|\+\+\+)", line):
        return None
    found = _LINE.fullmatch(line.rstrip("\n"))
    if found is None:
        raise CannotRead(line[:200])
    name, args, result = found.groups()
    value = -1 if result == "?" else int(result, 0)
    if value < 0:
        return None
    # Strings are in hexadecimal, so a comma is always one between arguments.
    return Call(name, tuple(_argument(text) for text in args.split(", ")) if args else (), value)


def _argument(text: str) -> Argument:
    string = _STRING.fullmatch(text)
    if string is not None:
        if string[2]:
            raise CannotRead("strace cut a string short")
        return bytes.fromhex(string[1].replace("\\x", ""))
    if _NUMBER.fullmatch(text):
        # A mode is octal: 0660.
        octal = len(text) > 1 and text[0] == "0" and text[1] != "x"
        return int(text, 8) if octal else int(text, 0)
    return text
