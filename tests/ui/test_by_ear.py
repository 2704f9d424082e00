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
from tests.faults.terminal import Terminal, terminal
from tests.ui.looking import answers, ends
from tests.ui.stage import bundle

pytestmark = pytest.mark.display

MARKER_MM = 14.0
"""The tactile marker's place from the left and from the bottom."""
STEP_MM = 6.0
STEP_S = 0.03
ROWS = (0.5, 0.9, 0.62, 0.76, 0.4, 0.28, 0.14)
"""Heights of the glass, in the order they are felt along."""
QUIET_S = 0.3
"""Silent so long, it has said what it had to say."""
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
        lines = [json.loads(line) for line in self._log.read_text().splitlines(keepends=False)]
        return [(line["language"], bare(line["text"])) for line in lines if line["do"] == "say"]

    def listen(self, since: int, timeout_s: float = 8) -> list[str]:
        """What is said from `since` on, once something was and silence came."""
        deadline, known, still = time.monotonic() + timeout_s, since, time.monotonic()
        while known == since or time.monotonic() - still < QUIET_S:
            now = len(self.heard())
            if now != known:
                known, still = now, time.monotonic()
            assert time.monotonic() < deadline, f"silence after {self.heard()[-6:]}"
            time.sleep(0.02)
        return [words for _, words in self.heard()[since:]]

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
        found = self.listen(since)
        self._subject.finger.release()
        return found

    def tap_twice(self) -> list[str]:
        """Somewhere else; what is said then."""
        since = len(self.heard())
        self.go(self._width * 0.45, self._height * 0.03)
        for _ in range(2):
            self._subject.finger.press()
            time.sleep(0.06)
            self._subject.finger.release()
            time.sleep(0.06)
        found = self.listen(since)
        # Who begins to feel at once is still within the double tap.
        time.sleep(0.3)
        return found

    def find(self, words: str, language: str = "") -> list[str]:
        """Feel along the glass until something is called `words`; all that is said of it."""
        since, wanted = len(self.heard()), (language or self.language, words)
        self.go(self._width * 0.02, self._height * ROWS[0])
        self._subject.finger.press()
        try:
            for index, row in enumerate(ROWS):
                way = range(1, int(self._width / self._scale / STEP_MM))
                for step in way if index % 2 == 0 else reversed(way):
                    self.go(step * STEP_MM * self._scale, self._height * row)
                    time.sleep(STEP_S)
                    if wanted in self.heard()[since:]:
                        return self._back_to(wanted)
        finally:
            self._subject.finger.release()
        raise AssertionError(f"{words!r} is nowhere: {self.heard()[since:]}")

    def _back_to(self, wanted: tuple[str, str]) -> list[str]:
        """The finger was faster than the voice: back a little, until that was said last."""
        x, y = self._at
        for back in (0, -1, 1, -2, 2, -3, 3):
            since = len(self.heard())
            self.go(x + back * STEP_MM * self._scale, y)
            time.sleep(0.3)
            said = self.heard()
            if wanted in said[-3:]:
                last = len(said) - 1 - said[::-1].index(wanted)
                if back == 0 or last >= since:
                    return [words for _, words in said[last:]]
        raise AssertionError(f"{wanted} was heard once and not again")

    def choose(self, words: str, language: str = "") -> list[str]:
        self.find(words, language)
        return self.tap_twice()


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
    assert me.words("spoken.help") in said
    assert me.words("nps.question") in said
    if language != me.language:
        name = me.words("language.name", language)
        me.find(name, language)
        me.language = language
        assert me.words("nps.question") in me.tap_twice()

    assert me.find("9")[1] == me.words("spoken.position", n=10, m=11)
    assert answers(subject.data) == [], "exploring has answered"
    said = me.tap_twice()
    assert said[0] == me.words("spoken.chosen")
    assert me.words("statement.s05") in said

    said = me.choose(me.words("agree.4"))
    assert said[0] == me.words("spoken.chosen")
    assert me.words("statement.s06") in said
    said = me.choose(me.words("agree.2"))
    assert me.words("offer.question") in said

    if language == "en":
        assert me.words("comment.question") in me.choose(me.words("offer.here"))
        # Everybody in the room hears the loudspeaker: not what is written.
        assert me.choose("k") == [me.words("spoken.chosen")]
        said = me.choose(me.words("send"))
    else:
        said = me.choose(me.words("done"))
    assert me.words("thanks") in said

    subject.wait_for(lambda: bool(ends(subject.data)), "the end of the visit", 10)
    given = answers(subject.data)
    expected: list[object] = [9, 4, 2]
    if language == "en":
        expected.append({"text": "k", "redacted": {}})
    assert [answer.value for answer in given] == expected
    assert {answer.language for answer in given} == {language}
    assert {tuple(answer.mode) for answer in given} == {("speech",)}
    assert [end.how for end in ends(subject.data)] == ["completed"]
    if language == "fi":
        subject.wait_for(subject.resting, "the resting screen after the thanks", 10)
