"""What the parts of `make drill` have in common."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Options:
    """How to drill."""

    seed: int = 1
    """Another seed, other torn writes, other moments."""
    workers: int = os.cpu_count() or 1
    step: int = 1
    """Only every such case where there are many of one kind."""


@dataclass(slots=True)
class Row:
    """One kind of failure: how often it was tried, and what did not hold."""

    name: str
    cases: int
    failures: list[str] = field(default_factory=list)
    """One line for a failing case: what was done, when, and what is wrong."""
    note: str = ""
    """Figures worth keeping, with units; empty where there are none."""
    skipped: str = ""
    """Why it could not be tried here (no root, say): such a row counts as not run."""


class Drill(Protocol):
    """A part: yields a row as soon as it is done, so that somebody can watch."""

    def __call__(self, options: Options, /) -> Iterator[Row]: ...


def _quiet() -> None:
    # Ctrl-C reaches every process of the terminal; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def spread(work: Callable[[T], U], tasks: Sequence[T], workers: int, chunk: int = 1) -> Iterator[U]:
    """The results of `work` over the tasks, in order, by forked processes.

    Forked when the first result is asked for: the workers have what was prepared before.
    """
    pool = multiprocessing.get_context("fork").Pool(workers, _quiet)
    try:
        yield from pool.imap(work, tasks, chunk)
        pool.close()
    except BaseException:
        pool.terminate()
        raise
    finally:
        pool.join()
