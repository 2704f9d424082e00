"""Many devices audited: those that look alike once, the work shared between processors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kiosk.audit import pictures, run
from kiosk.audit.finding import Finding, Seen
from kiosk.audit.pictures import Shown
from kiosk.fleet.fit import what_shows
from kiosk.fleet.resolve import build
from kiosk.fleet.tree import Tree
from kiosk.ui.pages import Modes
from sync.contract.bundle import Bundle, as_json

Done = Callable[[int, int], None]


@dataclass
class Audited:
    """Devices that show the same, and what was found on their screens."""

    devices: list[str]
    bundle: Bundle
    screens: int = 0
    checks: int = 0
    findings: list[Finding] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)

    @property
    def failures(self) -> list[Finding]:
        """What does not hold."""
        return [finding for finding in self.findings if finding.severity == "failure"]

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing."""
        return [finding for finding in self.findings if finding.severity == "note"]


_Result = tuple[run.Result, list[Shown]]


@dataclass(frozen=True, eq=False)
class _Task:
    number: int
    bundle: Bundle
    language: str
    modes: tuple[Modes, ...]
    staff: bool
    folder: Path | None
    every: bool
    """Pictures of every screen, not of failing ones alone."""


def audit(
    tree: Tree,
    devices: Collection[str],
    *,
    languages: Sequence[str] = (),
    modes: Sequence[Modes] = (),
    staff: bool = False,
    folder: Path | None = None,
    every: bool = False,
    done: Done | None = None,
    jobs: int = 0,
) -> list[Audited]:
    """Every screen of `devices`, whose files are free of errors.

    `languages` and `modes` empty mean all of the device's; `staff`: screens of set-up and service
    too. `folder`: for pictures of what fails and of each screen in one language, or of `every`
    screen. `jobs` 0: as many processes as there are processors.
    """
    found = alike(tree, devices)
    tasks = []
    for number, one in enumerate(found):
        offered = run.modes_of(one.bundle)
        asked = tuple(mode for mode in modes if mode - {"speech"} in offered) if modes else offered
        here = [code for code in one.bundle.languages if code in languages or not languages]
        tasks += [
            _Task(number, one.bundle, language, asked, staff, folder, every or language == here[0])
            for language in here
        ]
        one.findings += run.configuration(one.bundle)
    parts = _parts(tasks)
    results: dict[_Task, _Result] = {}
    for count, part in enumerate(_results(parts, jobs), start=1):
        results.update(zip(parts[count - 1], part, strict=True))
        if done is not None:
            done(count, len(parts))
    for task in tasks:
        result, shown = results[task]
        one = found[task.number]
        one.screens += result.screens
        one.checks += result.checks
        one.findings += result.findings
        one.shown += shown
    return found


def _parts(tasks: Iterable[_Task]) -> list[list[_Task]]:
    """Tasks whose screens have most in common together: what one measures the others know."""
    found: dict[tuple[object, ...], list[_Task]] = {}
    for task in tasks:
        screen = task.bundle.screen
        found.setdefault((screen.width_px, screen.width_mm, task.language), []).append(task)
    # The longest first, so that no processor waits long at the end.
    return sorted(found.values(), key=len, reverse=True)


def alike(tree: Tree, devices: Iterable[str]) -> list[Audited]:
    """Devices by what they show and how long; those of one panel follow each other."""
    found: dict[bytes, Audited] = {}
    for ident in devices:
        bundle = build(tree, ident)
        seen = what_shows(bundle)
        if not bundle.survey.ask_service:
            # No screen names a service.
            place = msgspec.structs.replace(seen.location, services=())
            seen = msgspec.structs.replace(seen, services=(), location=place)
        key = as_json(msgspec.structs.replace(seen, timing=bundle.timing, speech=bundle.speech))
        if key in found:
            found[key].devices.append(ident)
        else:
            found[key] = Audited([ident], bundle)
    return sorted(found.values(), key=lambda one: (one.bundle.screen.width_px, one.devices))


def _results(parts: Sequence[Sequence[_Task]], jobs: int) -> Iterator[list[_Result]]:
    jobs = min(jobs or os.cpu_count() or 1, len(parts))
    if jobs <= 1:
        yield from map(_work, parts)
        return
    context = multiprocessing.get_context("spawn")
    # Left early, the pool ends its processes.
    with context.Pool(jobs, _begin) as pool:
        yield from pool.imap(_work, parts)


def _begin() -> None:
    """The desk's Ctrl-C is the desk's: a worker ends with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_desk, daemon=True).start()


def _end_with_the_desk() -> None:
    desk = multiprocessing.parent_process()
    assert desk is not None  # noqa: S101 - it was spawned
    desk.join()
    os._exit(1)


def _work(part: Sequence[_Task]) -> list[_Result]:
    return [_one(task) for task in part]


def _one(task: _Task) -> _Result:
    shown: list[Shown] = []
    folder = task.folder

    def keep(seen: Seen, findings: Sequence[Finding]) -> None:
        fails = any(finding.severity == "failure" for finding in findings)
        if folder is not None and (task.every or fails):
            shown.append(pictures.draw(seen, findings, folder, task.bundle.device))

    result = run.checked(task.bundle, task.language, task.modes, staff=task.staff, keep=keep)
    return result, shown


def named(modes: Iterable[str]) -> list[Modes]:
    """`larger,dark` as a set of modes; `normal` is none."""
    return [frozenset(part for part in mode.split(",") if part != "normal") for mode in modes]
