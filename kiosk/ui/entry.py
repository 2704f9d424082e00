"""The text being written: our own, so that nothing keeps an undo list of it."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.layout.keyboards import Layer
from sync.contract.records import MAX_TEXT


class Entry:
    """Characters, and the keyboard's layer."""

    def __init__(self) -> None:
        self.text = ""
        self.layer: Layer = "lower"

    def key(self, name: str) -> bool:
        """Press a key by its target name without `key.`; True when the layer changed."""
        before = self.layer
        match name:
            case "⇧":
                self.layer = "lower" if self.layer == "upper" else "upper"
            case "123":
                self.layer = "lower" if self.layer == "symbols" else "symbols"
            case "⌫":
                self._erase()
            case "space":
                self._insert(" ")
            case "enter":
                self._insert("\n")
            case _:
                self._insert(name)
                # Shift latches for one letter; nothing ever needs to be held.
                if self.layer == "upper":
                    self.layer = "lower"
        return self.layer != before

    def clear(self) -> None:
        """Nothing is left of what was written."""
        self.text = ""
        self.layer = "lower"

    def _insert(self, characters: str) -> None:
        if len(self.text) + len(characters) <= MAX_TEXT:
            self.text += characters

    def _erase(self) -> None:
        self.text = self.text[:-1]


def tail(text: str, rows: int, wrap: Callable[[str], list[str]]) -> list[str]:
    """The last `rows` lines of a text broken by `wrap`, what is being written last."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += wrap(paragraph) if paragraph.strip() else [""]
        if text.endswith(" ") and lines:
            lines[-1] = lines[-1].rstrip() + " "
    return lines[-rows:]
