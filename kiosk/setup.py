"""Setting a terminal up on site, from nothing to the first visit; no window, no files.

What was reached follows from the files (`seen.stage_of`), so that a power cut loses nothing but
what was half typed. What is shown is in `kiosk.setup_views`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from kiosk import setup_views
from kiosk.entering import Entering
from kiosk.seen import Hands, Seen, Stage
from kiosk.selfcheck import CORNERS, Check, checks
from kiosk.views import LANGUAGES, View, Words
from sync.contract import code as codes

log = logging.getLogger("hymio.ui")

LEFT_S: Final = 900.0
"""Nobody touches a confirmed terminal for so long: visits begin, and what was not checked is
noted."""
CORNERS_S: Final = 30.0
"""Without a touch in the touch test, what was not hit counts as not working."""


_WAYS_IN: Final = ("start", "address", "code", "stick", "scan", "working", "releasing")


class Setup(Entering):
    """Set-up in front of one person; `act`, `typed`, `tick` and `see` in, `view` out.

    `begin` is where it starts: a stage, or `corners`. `alone`: asked for on the service screen, it
    leads back to the visitors and is no stage of a set-up.
    """

    def __init__(
        self,
        hands: Hands,
        clock: Callable[[], float],
        words: Words,
        seen: Seen,
        begin: str = "enrol",
        *,
        alone: bool = False,
    ) -> None:
        super().__init__(hands, clock, seen, alone=alone)
        self.words = words
        language = str(seen.note.get("language", ""))
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self.hit: frozenset[str] = frozenset()
        self.touched: frozenset[str] | None = None
        self.received = ""
        """When (ISO) the centre had the test answer."""
        self._hit_at = clock()
        self._go({"enrol": "start"}.get(begin, begin))
        if begin == "enrol" and not (alone and seen.redeemed):
            self._resume()
        if begin == "test" and seen.note.get("seq") and not alone:
            self.screen = "waiting"

    def _resume(self) -> None:
        """A code was entered before the power went: go on waiting for it."""
        wish = self.seen.wish
        if wish.get("code"):
            self.form.code = codes.plain(str(wish["code"]))
            self.screen = "releasing" if wish.get("release") else "working"

    @property
    def stage(self) -> Stage:
        """As terminal.json says it; a check asked for on the service screen is none."""
        if self.screen in ("confirm", "sure"):
            return "confirm"
        if self.alone and self.screen not in _WAYS_IN:
            return ""
        if self.screen in ("check", "corners", "warn"):
            return "check"
        return "test" if self.screen in ("test", "trial", "waiting") else "enrol"

    @property
    def arrived(self) -> bool:
        """Whether the code entered last is redeemed, and its configuration in use."""
        return self.awaited.arrived(self.seen)

    # --- what comes in ----------------------------------------------------------------------------

    def see(self, seen: Seen) -> None:
        """Another look at the device."""
        before, self.seen = self.seen, seen
        if self.screen == "start" and before.stick.what == "none" != seen.stick.what:
            # Whoever plugs a stick in means it.
            self._go("stick")
        if self.screen == "working" and self.arrived:
            self._go("confirm" if seen.wish.get("confirmed", True) is False else "")
        elif self.screen == "confirm" and not self.arrived:
            self._go("working")
        elif self.screen == "releasing" and self.awaited.released(seen):
            # Nothing is left to go back to.
            self.alone = False
            self._note(before=None)
            self._go("start")
            self.problem = "setup.error.released"
        elif self.screen == "waiting" and not self.received:
            have = seen.facts.sender.get("have")
            note = seen.note
            got = have.get(str(note.get("epoch")), 0) if isinstance(have, dict) else 0
            if note.get("seq") and got >= int(note["seq"]):
                self.received = str(seen.facts.sender.get("last_contact") or seen.facts.wall)

    def act(self, name: str) -> None:
        """A target was tapped."""
        self._touched_at = self.clock()
        group, _, value = name.partition(".")
        match group:
            case "language":
                self.language = value
                self._note(language=value)
            case "more":
                self.page += 1
            case "key":
                self._key(value)
            case "corner":
                self.hit |= {value}
                self._hit_at = self.clock()
                if self.hit >= CORNERS:
                    self._corners_done()
            case "stick":
                self._pick(int(value))
            case _:
                self._press(name)

    def _press(self, name: str) -> None:
        # Only what the screen shows can be tapped, so a name says enough.
        to = {
            "setup.stick": "stick",
            "setup.scan": "scan",
            "setup.back": "start",
            "setup.address": "address",
            "confirm.no": "sure",
            "sure.no": "confirm",
            "warn.no": "check",
            "test.start": "trial",
        }.get(name)
        if to is not None:
            self._go(to)
            return
        do = {
            "setup.type": self._type,
            "setup.cancel": self._leave,
            "setup.next": self._enter,
            "setup.change": self._change,
            "setup.again": self._again,
            "confirm.yes": self._confirm,
            "sure.yes": self._release,
            "check.touch": self._corners,
            "touch.skip": self._corners_done,
            "check.continue": self._continue,
            "warn.yes": self._checked,
            "test.done": self._finish,
            "test.skip": self._finish,
        }.get(name)
        if do is not None:
            do()

    def tick(self) -> float:
        """Do what is due; when to be called again at the latest."""
        found = self._scanner.tick(self._field)
        if found is not None:
            self._scanned(found)
        now = self.clock()
        if self.screen == "corners" and now - self._hit_at >= CORNERS_S:
            self._corners_done()
        if self.stage in ("check", "test") and now - self._touched_at >= LEFT_S:
            log.warning("nobody finished the set-up: visits begin")
            self._finish()
        due = self._scanner.due
        return min(now + 1.0, due) if due is not None else now + 1.0

    def view(self) -> View:
        """What is to be seen now."""
        return setup_views.view(self)

    def _again(self) -> None:
        if self.screen == "releasing":
            self._release()
        else:
            self._submit()

    # --- the right place? -------------------------------------------------------------------------

    def _confirm(self) -> None:
        wish = {**self.seen.wish, "confirmed": True}
        # First the note: without it a power cut here would skip the self-check.
        code = codes.sha256(str(wish.get("code", "")))
        self._note(stage="check", code=code, seq=None, failed=None, before=None)
        self.alone = False
        if self._enrol(wish):
            self._go("check")

    def _release(self) -> None:
        wish = {**self.seen.wish, "confirmed": False, "release": True}
        self.awaited.begin()
        if self._enrol(wish):
            self._go("releasing")

    # --- self-check and test ----------------------------------------------------------------------

    @property
    def checks(self) -> tuple[Check, ...]:
        """The lines of the self-check."""
        return checks(self.seen.facts, self.touched)

    @property
    def failed(self) -> tuple[str, ...]:
        """What did not pass, or was not tried."""
        return tuple(check.name for check in self.checks if check.result != "ok")

    def _corners(self) -> None:
        self.hit, self._hit_at = frozenset(), self.clock()
        self._go("corners")

    def _continue(self) -> None:
        if self.failed:
            self._go("warn")
        else:
            self._checked()

    def _corners_done(self) -> None:
        self.touched = self.hit
        self._go("check")

    def _checked(self) -> None:
        self._note(failed=list(self.failed))
        if self.alone:
            self._leave()
            return
        self._note(stage="test", seq=None)
        self._go("test")

    def answered(self, epoch: str, seq: int) -> None:
        """The test answer is on the disk, its last record at `seq`."""
        self._touched_at = self.clock()
        self._note(epoch=epoch, seq=seq)
        self._go("waiting")

    def refused(self) -> None:
        """The test answer could not be stored."""
        self._go("test")
        self.problem = "setup.error.disk"

    def _finish(self) -> None:
        self._note(stage=None if self.alone else "done", seq=None, epoch=None)
        self._leave()
