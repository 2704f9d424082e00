"""What is said when, while speech is on; while it is off nothing is heard and nothing costs time.

Through the loudspeaker a confirmation never says what was chosen, and what was written is said only
by explicit choice: everybody in the room hears it. Through headphones both are said.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kiosk.layout.order import controls
from kiosk.layout.page import Page, Target
from kiosk.speech import phrases
from kiosk.speech.explore import Explorer
from kiosk.speech.parts import Part, Utterance, Voice
from kiosk.ui.entry import Entry
from sync.contract.bundle import Bundle

SLOWER: Final = 3
"""With speech everything waits so many times as long."""
AFTER_S: Final = 3.0
"""The thanks stand so long after they were said."""
MARKS: Final = (30, 20, 10)
"""Seconds left at which the countdown is told."""
STEP: Final = 10
"""Per cent of volume."""
QUIETEST: Final = 10
LOUDEST: Final = 100


class Aloud:
    """Says what happens on the screen, and reads the finger that explores it."""

    bundle: Bundle
    explorer: Explorer

    def __init__(self, voice: Voice, clock: Callable[[], float], entry: Entry) -> None:
        self.voice = voice
        self._clock, self._entry = clock, entry
        self.on = False
        self.said = 0
        """How often something was said: who acts can tell whether anybody heard of it."""
        self._clear()

    def use(self, bundle: Bundle) -> None:
        """Another configuration."""
        self.bundle = bundle
        self.explorer = Explorer(self._clock, quiet_s=bundle.touch.quiet_ms / 1000)
        self.voice.use(rate_wpm=bundle.speech.rate_wpm)

    # --- on and off -------------------------------------------------------------------------------

    def possible(self, language: str) -> bool:
        """Whether somebody who reads this language could be spoken to."""
        speech, voice = self.bundle.speech, self.voice
        heard = voice.available and (speech.loudspeaker or voice.headphones)
        return speech.enabled and heard and voice.speaks(language)

    def offered(self, language: str) -> tuple[str, ...]:
        """What the access sheet offers."""
        modes = ("larger", "dark", "low")
        if not self.on:
            return ("speech", *modes) if self.possible(language) else modes
        pause = "resume" if self.paused else "pause"
        return ("speech", *modes, "repeat", pause, "quieter", "louder")

    @property
    def paused(self) -> bool:
        """Whether a pause was asked for: the finger that asked may have cut what was said."""
        return self._paused or self.voice.paused

    def begin(self) -> None:
        """Speech is on from the next screen shown, which is told in full."""
        self._clear()
        self.on, self._help, self._before = True, True, "spoken.on"

    def end(self, language: str) -> None:
        """Speech is off, which is the last thing said where the loudspeaker may speak."""
        self.reset()
        if self.bundle.speech.loudspeaker or self.voice.headphones:
            self.voice.say(phrases.text(self.bundle, language, "spoken.off"))

    def reset(self) -> None:
        """The next visitor hears nothing, and nothing of the last one is known."""
        self.on = False
        self._clear()
        self.explorer.forget()
        self.voice.forget()
        self.voice.set_volume(self.bundle.speech.volume)

    def _clear(self) -> None:
        self._page: Page | None = None
        self._key: object = None
        self._chosen = ""
        self._runs: dict[str, Utterance] = {}
        self._under_now: Target | None = None
        self._before, self._help = "", False
        self._confirmed = self._saving = self._paused = False
        self._told = 0.0
        self._orientation = -1
        self._last: Utterance = ()
        self._own: Utterance = ()

    def fresh(self, key: object) -> bool:
        """Whether a screen is another than the one told last."""
        return key != self._key

    # --- the screen -------------------------------------------------------------------------------

    def screen(
        self,
        page: Page,
        key: object,
        *,
        chosen: str,
        focus: str,
        progress: tuple[int, int] | None,
        seconds: int | None,
    ) -> None:
        """A page is shown; its orientation is said unless `key` says it is the same as before.

        `focus`: the control a keyboard stands on.
        """
        if not self.on:
            return
        fresh = self.fresh(key)
        self._page, self._key, self._chosen = page, key, chosen
        self._runs, self._under_now = {}, None
        self.explorer.screen(self._under, fresh=fresh)
        if not fresh:
            current = self.explorer.current
            if not current.startswith("run:") and current not in {t.name for t in page.targets}:
                # A capital's key goes with its layer.
                self.explorer.current = ""
            return
        said: Utterance = ()
        if self._before:
            said += phrases.text(self.bundle, page.language, self._before)
        said += phrases.orientation(
            page, self.bundle, progress=progress, help=self._help, seconds=seconds
        )
        if page.screen == "still":
            # The two ways on end it: a double tap anywhere takes the last.
            self.explorer.current = controls(page)[-1].name
        elif focus:
            said += phrases.control(page, self.bundle, focus, chosen=chosen)
            self.explorer.current = focus
        self._told = float(seconds or 0)
        after, self._before, self._help, self._confirmed = self._confirmed, "", False, False
        self._say(said, after=after)
        self._orientation = self.said

    @property
    def telling(self) -> bool:
        """Whether the screen is still being told, and nothing on it was asked for."""
        return self.on and self.voice.busy and self.said == self._orientation

    def _under(self, x: float, y: float) -> str:
        page = self._page
        if page is None:
            return ""
        if self._under_now is not None and self._under_now.box.holds(x, y):
            # Most moves stay on a control: it is not put into words each time.
            return self._under_now.name
        name, said = phrases.at(page, self.bundle, x, y) or ("", ())
        self._under_now = next((each for each in page.targets if said and each.name == name), None)
        self._runs[name] = said
        return name if said else ""

    def hear(self, name: str) -> None:
        """Say what something on the page is."""
        self.explorer.current = name
        page = self._page
        if page is None:
            return
        if name == "field":
            self._say(self._field())
        elif name.startswith("run:"):
            self._say(self._runs.get(name, ()))
        else:
            said = phrases.control(page, self.bundle, name, chosen=self._chosen)
            # On its sheet "Repeat" is about what was heard before the way there.
            self._say(said, own=name != "access")

    def hush(self) -> None:
        """Somebody does something: they have heard enough."""
        if self.on:
            self.voice.stop()
            self._confirmed = False

    # --- what was done ----------------------------------------------------------------------------

    def chosen(self, name: str) -> None:
        """An answer is stored."""
        self._saving = False
        if self._page is None:
            return
        said: Utterance = ()
        if self.voice.headphones:
            said = phrases.control(self._page, self.bundle, name)[:1]
        self._say(said + self._text("spoken.chosen"), keep=False)
        self._confirmed = self.on

    def changed(self) -> None:
        """The next screen begins with the news that something was chosen, in its language."""
        self._before = "spoken.chosen"

    def saving(self) -> None:
        """An answer is not stored yet: said once."""
        if not self._saving:
            self._saving = True
            self._say(self._text("saving"), keep=False)

    def countdown(self, left: int) -> None:
        """So many seconds are left; nothing else that is said is cut off for it."""
        marks = [mark for mark in MARKS if left <= mark < self._told]
        if not self.on or not marks or self.explorer.busy or self.speaking:
            return
        self._told = min(marks)
        self._say(self._text("spoken.countdown", n=left), keep=False)

    @property
    def speaking(self) -> bool:
        """Whether something is being heard."""
        return self.on and self.voice.busy and not self.voice.paused

    # --- writing ----------------------------------------------------------------------------------

    def typed(self, name: str, before: str) -> None:
        """A key of the screen was pressed; `before` is the text as it was."""
        page, text = self._page, self._entry.text
        if not self.on or page is None:
            return
        if name == "key.123":
            layer = "symbols" if self._entry.layer == "symbols" else "letters"
            self._say(self._text(f"key.{layer}"), keep=False)
        elif name == "key.⇧":
            self._say(phrases.control(page, self.bundle, name), keep=False)
        elif name == "key.⌫":
            self._deleted(before)
        elif text == before:
            self._say(self._text("comment.full"), keep=False)
        else:
            self._added(before)

    def written(self, before: str) -> None:
        """A keyboard wrote; `before` is the text as it was."""
        text = self._entry.text
        if not self.on or self._page is None:
            return
        if len(text) < len(before) or not text:
            self._deleted(before)
        elif text == before:
            self._say(self._text("comment.full"), keep=False)
        else:
            self._added(before)

    def _added(self, before: str) -> None:
        added = self._characters(self._entry.text[len(before) :])
        self._say(added or self._text("spoken.chosen"), keep=False)

    def _deleted(self, before: str) -> None:
        gone = before[len(self._entry.text) :]
        if not gone:
            self._say(self._field(), keep=False)
            return
        self._say(self._text("spoken.deleted") + self._characters(gone), keep=False)

    def _characters(self, characters: str) -> Utterance:
        """Characters as they are said; nothing where the room would hear them."""
        if self._page is None or not self.voice.headphones:
            return ()
        return phrases.typed(self.bundle, self._page.language, characters)

    def _field(self) -> Utterance:
        """The field under a finger: how much there is, and what it says or how to hear it."""
        text = self._entry.text
        if not text:
            return self._text("spoken.empty")
        said = self._text("spoken.field") + self._text("spoken.written", n=len(text))
        return said + (self._written() if self.voice.headphones else self._text("spoken.hear"))

    def read(self) -> None:
        """What is written, by explicit choice."""
        self._say(self._written() if self._entry.text else self._text("spoken.empty"))

    def _written(self) -> Utterance:
        if self._page is None:
            return ()
        return (Part(self._entry.text, self._page.language),)

    # --- how it is said ---------------------------------------------------------------------------

    def control(self, name: str, *, sheet: bool = False) -> None:
        """`repeat`, `pause`, `resume`, `quieter` or `louder`.

        From the access `sheet` it is about what was said before the sheet came.
        """
        match name:
            case "repeat":
                self._again(sheet=sheet)
            case "pause" if not self.paused:
                self.voice.pause()
                self._paused = True
                self.said += 1
            case "pause" | "resume":
                if self.voice.paused:
                    self.voice.resume()
                    self._paused = False
                    self.said += 1
                else:
                    self._again(sheet=sheet)
            case "quieter" | "louder":
                step = STEP if name == "louder" else -STEP
                volume = max(QUIETEST, min(LOUDEST, self.voice.volume + step))
                self.voice.set_volume(volume)
                self._say(self._text("spoken.volume", n=volume), keep=False)

    def _again(self, *, sheet: bool) -> None:
        self._say(self._own if sheet else self._last)

    def _text(self, key: str, **values: object) -> Utterance:
        if not self.on or self._page is None:
            return ()
        return phrases.text(self.bundle, self._page.language, key, **values)

    def _say(
        self, said: Utterance, *, after: bool = False, keep: bool = True, own: bool = True
    ) -> None:
        if not self.on or not said:
            return
        self.said += 1
        self._paused = False
        if keep:
            self._last = said
            if own and self._page is not None and self._page.screen != "access":
                self._own = said
        self.voice.say(said, after=after)
