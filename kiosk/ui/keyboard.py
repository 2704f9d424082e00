"""What the keys of keyboards, keypads and headsets mean; no window, no layout of letters.

Keys are told by their USB usage (SDL's scancode), so they mean the same whatever letters the
system's keyboard layout gives them. What is written arrives apart from them, as text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

LOST_S: Final = 2.0
"""A key that was not heard of for so long is up, even where its release was lost."""


@dataclass(frozen=True, slots=True)
class Key:
    """One report of a key that is down."""

    name: str = ""
    """What it does, empty for nothing: `next`, `previous`, `left`, `right`, `up`, `down`, `first`,
    `last`, `activate`, `back`, `speech`, `repeat`, `pause`, `louder`, `quieter`."""
    writes: str = ""
    """What it puts into a text: a space, `\\n`, or `\\b` for the last character taken away."""
    again: bool = False
    """It is held, and the system repeats it."""


ENTER, ESCAPE, BACKSPACE, TAB, SPACE = 40, 41, 42, 43, 44
KEYS: Final = {
    ENTER: Key("activate", "\n"),
    88: Key("activate", "\n"),  # Enter of the number pad
    SPACE: Key("activate", " "),
    ESCAPE: Key("back"),
    270: Key("back"),  # media key: back
    BACKSPACE: Key("back", "\b"),
    TAB: Key("next"),
    80: Key("left"),
    79: Key("right"),
    82: Key("up"),
    81: Key("down"),
    74: Key("first"),  # Home
    77: Key("last"),  # End
    58: Key("speech"),  # F1
    59: Key("repeat"),  # F2
    60: Key("pause"),  # F3
    61: Key("quieter"),  # F4
    62: Key("louder"),  # F5
    # The same five where a keypad's program offers only keys that no keyboard has.
    104: Key("speech"),  # F13
    105: Key("repeat"),  # F14
    106: Key("pause"),  # F15
    107: Key("quieter"),  # F16
    108: Key("louder"),  # F17
    127: Key("speech"),  # Mute
    262: Key("speech"),  # Mute of a headset
    129: Key("quieter"),  # Volume down
    128: Key("louder"),  # Volume up
    261: Key("pause"),  # Play/pause
    72: Key("pause"),  # Pause
    259: Key("repeat"),  # media key: previous
}
"""By USB usage. The table for people is in kiosk/docs/terminal.md."""
PAD: Final = {
    92: Key("left"),
    94: Key("right"),
    96: Key("up"),
    90: Key("down"),
    95: Key("first"),
    89: Key("last"),
}
"""The number pad without Num Lock: 4, 6, 8, 2, 7 and 1; with it they write digits."""
NOT_OURS: Final = frozenset({"alt", "ctrl", "meta"})
"""Together with these a key means something to systems, and nothing here."""


class Keyboard:
    """Follows which keys are down."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._down: dict[int, float] = {}

    def down(self, code: int, modifiers: Collection[str]) -> Key:
        """A key is down, for the first time or still; what it means."""
        now = self._clock()
        again = now - self._down.get(code, -LOST_S) < LOST_S
        self._down[code] = now
        key = KEYS.get(code) or (None if "numlock" in modifiers else PAD.get(code)) or Key()
        if NOT_OURS.intersection(modifiers):
            key = Key()
        elif code == TAB and "shift" in modifiers:
            key = Key("previous")
        return Key(key.name, key.writes, again)

    def up(self, code: int) -> None:
        """A key is let go."""
        self._down.pop(code, None)
