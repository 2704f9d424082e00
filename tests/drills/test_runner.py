"""`python -m tests.drills` itself: a part that fails, breaks down, is not run or is stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.drills.__main__ import run, table
from tests.drills.part import Options, Row


def part(monkeypatch: pytest.MonkeyPatch, end: BaseException, closed: list[str]) -> None:
    """A part called `made` that has one good row, one that was not run, and ends so."""

    def drill(_: Options) -> Iterator[Row]:
        try:
            yield Row("good", 3)
            yield Row("left out", 0, skipped="no root")
            raise end
        finally:
            closed.append("closed")

    monkeypatch.setitem(sys.modules, "tests.drills.made.drill", SimpleNamespace(drill=drill))


def test_a_part_that_breaks_down_has_failed_and_keeps_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    part(monkeypatch, ValueError("no such thing"), [])
    found = run("made", Options())
    assert [row.name for row in found] == ["good", "left out", "made: not done to its end"]
    assert found[-1].failures == ["ValueError: no such thing"]
    text = table({"made": found}, "how")
    assert "| made | left out | 0 | **not run** | no root |" in text
    assert "| **all** | **3 kinds** | | **1** | |" in text


def test_a_part_that_is_stopped_has_cleared_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed: list[str] = []
    part(monkeypatch, KeyboardInterrupt(), closed)
    with pytest.raises(KeyboardInterrupt):
        run("made", Options())
    assert closed == ["closed"]
    assert "good" in capsys.readouterr().out


def test_a_part_whose_reader_is_stopped_has_cleared_up(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    part(monkeypatch, ValueError(), closed)

    def stopped(*_: object, **__: object) -> None:
        if sys._getframe(1).f_locals.get("row"):
            raise KeyboardInterrupt

    monkeypatch.setattr("builtins.print", stopped)
    with pytest.raises(KeyboardInterrupt) as caught:
        run("made", Options())
    # While the error still holds all its frames.
    assert caught.value.__traceback__ is not None
    assert closed == ["closed"]
