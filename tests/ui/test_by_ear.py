"""Whole visits by ear alone, in a real window: a finger that sees nothing, and what the voice says.

Who visits knows where the tactile marker is and what the words mean; nothing of what is where.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync.contract.bundle import Timing, Touch
from tests.faults.terminal import LIMIT_S, Terminal, terminal
from tests.ui.looking import answers, ends
from tests.ui.stage import bundle

pytestmark = pytest.mark.display

MARKER_MM = 14.0
"""The tactile marker's place from the left and from the bottom."""
STEP_MM = 6.0
PACES_S = (0.03, 0.2, 0.8)
"""From one step to the next; slower again over all of the glass where the voice did not follow."""
ROWS = (0.5, 0.9, 0.62, 0.76, 0.4, 0.28, 0.14)
"""Heights of the glass, in the order they are felt along."""
QUIET_S = 0.1
"""To see that nothing else is said."""
SETTLE_S = 1.0
"""A resting finger has heard all there is by then, unless more is said still."""
PATIENCE_S = 5.0
"""Of silence, before it is elsewhere that something is looked for."""
ANSWER_S = 10.0
"""A double tap is heard to have done something by then."""
READER = "import sys; sys.stdin.buffer.read()"
"""In place of a sound card: takes all there is to hear."""


class Blind:
    """A visitor who hears and feels."""

    def __init__(self, subject: Terminal, log: Path) -> None:
        self._subject, self._log = subject, log
        screen = subject.bundle.screen
        self._scale = screen.width_px / screen.width_mm
        self._width, self._height = screen.width_px, screen.height_px
        self._at = (0, 0)
        self.language = subject.bundle.languages[0]

    # --- hearing ----------------------------------------------------------------------------------

    def heard(self) -> list[tuple[str, str]]:
        """Everything said so far: language and words."""
        if not self._log.exists():
            return []
        # The last one may still be on its way.
        lines = [json.loads(line) for line in self._log.read_text().split("\n")[:-1]]
        return [(line["language"], bare(line["text"])) for line in lines if line["do"] == "say"]

    def listen(self, since: int, last: str, timeout_s: float = LIMIT_S) -> list[str]:
        """What is said from `since` on, to the end of `last`."""
        deadline = time.monotonic() + timeout_s
        while last not in (said := [words for _, words in self.heard()[since:]]):
            assert time.monotonic() < deadline, f"no {last!r} in {said}"
            time.sleep(0.02)
        time.sleep(QUIET_S)
        return said

    def words(self, key: str, language: str = "", **values: object) -> str:
        """What a wording sounds like."""
        texts = self._subject.bundle.texts[language or self.language]
        return bare(texts.get(key + ".spoken", texts[key]).format(**values))

    # --- touching ---------------------------------------------------------------------------------

    def go(self, x: float, y: float) -> None:
        self._at = (round(x), round(y))
        self._subject.finger.move(*self._at)

    def begin(self) -> list[str]:
        """Rest on the button beside the tactile marker until it speaks."""
        since, reach = len(self.heard()), MARKER_MM * self._scale
        self.go(reach, self._height - reach)
        self._subject.finger.press()
        found = self.listen(since, self.words("spoken.help"))
        self._subject.finger.release()
        return found

    def tap_twice(self, last: str) -> list[str]:
        """Somewhere else; what is said then, to `last`."""
        since = len(self.heard())
        self.go(self._width * 0.45, self._height * 0.03)
        for _ in range(3):
            for _ in range(2):
                self._subject.finger.press()
                time.sleep(0.06)
                self._subject.finger.release()
                # Not so fast that a busy machine takes it for a bounce of the glass.
                time.sleep(0.3)
            # Silence: it was taken for something else. Once more, as people do.
            if self._hears(lambda: len(self.heard()) > since, ANSWER_S):
                break
        found = self.listen(since, last)
        # Who begins to feel at once is still within the double tap.
        time.sleep(0.3)
        return found

    def find(self, words: str, *more: str, language: str = "") -> None:
        """Feel along the glass until something is called `words`, and `more` is said of it."""
        since, wanted = len(self.heard()), (language or self.language, words)
        self.go(self._width * 0.02, self._height * ROWS[0])
        self._subject.finger.press()
        try:
            for x, y, pace_s in self._way():
                self.go(x, y)
                time.sleep(pace_s)
                if wanted in self.heard()[since:]:
                    self._back_to([wanted, *((self.language, each) for each in more)])
                    return
        finally:
            self._subject.finger.release()
        raise AssertionError(f"{words!r} is nowhere: {self.heard()[since:]}")

    def _way(self) -> Iterator[tuple[float, float, float]]:
        """Places all over the glass, and how long to stay at each."""
        steps = range(1, int(self._width / self._scale / STEP_MM))
        for pace_s in PACES_S:
            for index, row in enumerate(ROWS):
                for step in steps if index % 2 == 0 else reversed(steps):
                    yield step * STEP_MM * self._scale, self._height * row, pace_s

    def _back_to(self, wanted: list[tuple[str, str]]) -> None:
        """The finger was faster than the voice: back a little, until that was said last."""
        x, y = self._at
        for back in (0, -1, 1, -2, 2, -3, 3):
            self.go(x + back * STEP_MM * self._scale, y)
            if self._ends_with(wanted):
                return
        raise AssertionError(f"{wanted} was heard once and not again: {self.heard()[-9:]}")

    def _ends_with(self, wanted: list[tuple[str, str]]) -> bool:
        """Whether that is what is said last, once nothing more comes."""
        said, since = self.heard(), time.monotonic()
        while True:
            there = said[-len(wanted) :] == wanted
            if time.monotonic() - since > (SETTLE_S if there else PATIENCE_S):
                return there
            time.sleep(0.02)
            if (now := self.heard()) != said:
                said, since = now, time.monotonic()

    @staticmethod
    def _hears(condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not (found := condition()) and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def choose(self, words: str, *more: str, last: str) -> list[str]:
        self.find(words, *more)
        return self.tap_twice(last)


def bare(text: str) -> str:
    """Without the signs that only give a voice its melody."""
    return text.replace("\u00ad", "").strip(" .,:;?!؟").lower()


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Callable[[], tuple[Blind, Terminal]]]:
    """Somebody who cannot see, in front of a terminal with a voice."""
    with ExitStack() as stack:

        def come() -> tuple[Blind, Terminal]:
            config = bundle(
                timing=Timing(hold_ms=60, thanks_s=1),
                touch=Touch(quiet_ms=60),
                survey={"count": 2},
            )
            subject = stack.enter_context(terminal(config, tmp_path / "data", tmp_path / "log"))
            log = tmp_path / "speech.jsonl"
            player = f"{sys.executable} -S -c '{READER}'"
            subject.options = ("--player", player, "--speech-log", str(log))
            subject.start()
            return Blind(subject, log), subject

        yield come


@pytest.mark.parametrize("language", ["fi", "sv", "en", "ar"])
def test_a_whole_visit_is_made_by_ear_alone(
    visitor: Callable[[], tuple[Blind, Terminal]], language: str
) -> None:
    me, subject = visitor()
    said = me.begin()
    assert said[0] == me.words("spoken.on")
    assert me.words("nps.question") in said
    if language != me.language:
        me.find(me.words("language.name", language), language=language)
        me.language = language
        assert me.words("nps.question") in me.tap_twice(me.words("spoken.options", m=11))

    chosen, five = me.words("spoken.chosen"), me.words("spoken.options", m=5)
    me.find("9", me.words("spoken.position", n=10, m=11))
    assert answers(subject.data) == [], "exploring has answered"
    said = me.tap_twice(five)
    assert said[0] == chosen
    assert me.words("statement.s05") in said

    fourth, second = (me.words("spoken.position", n=n, m=5) for n in (4, 2))
    said = me.choose(me.words("agree.4"), fourth, last=five)
    assert said[0] == chosen
    assert me.words("statement.s06") in said
    me.choose(me.words("agree.2"), second, last=me.words("offer.question"))

    if language == "en":
        me.choose(me.words("offer.here"), last=me.words("comment.question"))
        # Everybody in the room hears the loudspeaker: not what is written.
        assert me.choose("k", last=chosen) == [chosen]
        me.choose(me.words("send"), last=me.words("thanks"))
    else:
        me.choose(me.words("done"), last=me.words("thanks"))

    subject.wait_for(lambda: bool(ends(subject.data)), "the end of the visit")
    given = answers(subject.data)
    expected: list[object] = [9, 4, 2]
    if language == "en":
        expected.append({"text": "k", "redacted": {}})
    assert [answer.value for answer in given] == expected
    assert {answer.language for answer in given} == {language}
    assert {tuple(answer.mode) for answer in given} == {("speech",)}
    assert [end.how for end in ends(subject.data)] == ["completed"]
    if language == "fi":
        subject.wait_for(subject.resting, "the resting screen after the thanks")
