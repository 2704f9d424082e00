"""What the access sheet and its keys change, and the ways into speech."""

from __future__ import annotations

from typing import Final

from kiosk.speech.explore import Step
from kiosk.speech.parts import Voice
from kiosk.ui.aloud import SLOWER
from kiosk.ui.parts import Glass, World
from kiosk.ui.scene import Scene

HOLD_S: Final = 2.0
"""So long on the access button begins speech: a switch on its sheet cannot be found unseen."""
KEYS: Final = ("speech", "repeat", "pause", "quieter", "louder")
"""Names of keys that are about speech."""
PAUSE: Final = ("speech.pause", "speech.resume")
"""They take each other's place on the access sheet."""


class Switches(Scene):
    """The part of the flow that switches modes."""

    def __init__(self, glass: Glass, world: World, voice: Voice) -> None:
        super().__init__(glass, world, voice)
        self._plugged = voice.headphones
        self._away = False
        """Somebody else has the screen."""
        self._finger: tuple[object, float, float] = (None, 0.0, 0.0)
        """Where a finger was last, for speech that begins under it."""
        self._touched_at = self._clock()

    def switch(self, mode: str) -> None:
        """A switch of the access sheet."""
        if mode == "speech":
            self._speech(not self.aloud.on)
        else:
            self.modes = self.modes ^ {mode}
            self.show()

    def _speech(self, on: bool) -> None:
        """Begin to speak, or fall silent; what is on the screen stays."""
        if on and (self.down or self._away or not self.aloud.possible(self.visit.language)):
            return
        self._touched_at = self._clock()
        self.guard.cancel()
        self.visit.patience = SLOWER if on else 1
        if on:
            self.modes = self.modes | {"speech"}
            self.aloud.begin()
            touch, x, y = self._finger
            if touch is not None:
                # The finger that held the button may go on to explore.
                self.aloud.explorer.down(touch, x, y)
        else:
            self.modes = self.modes - {"speech"}
            self.aloud.end(self.visit.language)
            self.cursor.leave()
        if self.sheet == "still":
            # Another pace: what is left of the old one would be no time at all.
            self._count_from, self._second = self._touched_at, 0
        locked = self.guard.locked
        self.show()
        # An answer on its way to the disk lets no other one in.
        self.guard.locked = locked

    def _speech_key(self, name: str) -> None:
        """A key about speech; without it none but the first does anything."""
        if name == "speech":
            self._speech(not self.aloud.on)
        elif self.aloud.on:
            self._control(name, sheet=False)

    def _control(self, name: str, *, sheet: bool = True) -> None:
        self.aloud.control(name, sheet=sheet)
        if self.sheet == "access":
            now = PAUSE[self.aloud.paused]
            if self.cursor.name in PAUSE:
                self.cursor.go(now)
            if self.aloud.explorer.current in PAUSE:
                self.aloud.explorer.current = now
            self.show(quiet=False)

    def _listen(self, now: float) -> None:
        """Notice a held access button and a plug that comes or goes."""
        held = self._held_until
        if held is not None and now >= held:
            self._speech(on=True)
        plugged = self.voice.headphones
        voice = self.voice
        if self.aloud.on and not (voice.available and voice.speaks(self.visit.language)):
            # A screen that has fallen silent must work as one without speech.
            self._speech(on=False)
        if not voice.available:
            # What was plugged in before there was a voice is no event.
            self._plugged = plugged
        elif plugged != self._plugged:
            self._plugged = plugged
            if plugged != self.aloud.on:
                self._speech(plugged)

    @property
    def _held_until(self) -> float | None:
        """When the finger on the access button will have begun speech."""
        if self.aloud.on or self.guard.pressed != "access":
            return None
        if not self.aloud.possible(self.visit.language):
            return None
        return self.guard.pressed_at + HOLD_S

    def _explore(self, what: str, touch: object, x: float, y: float) -> Step | None:
        """A finger does something while speech is on."""
        explorer, guard = self.aloud.explorer, self.guard
        # The guard acts on nothing here, but knows what is held: staff hold the logo.
        if what == "down":
            self.aloud.hush()
            guard.down(touch, x, y)
            return explorer.down(touch, x, y)
        if what == "move":
            guard.move(touch, x, y)
            return explorer.move(touch, x, y)
        guard.up(touch, x, y)
        return explorer.up(touch, x, y)
