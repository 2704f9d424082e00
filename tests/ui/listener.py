"""A stage with a voice, and somebody who listens."""

from __future__ import annotations

from tests.ui.stage import RememberingVoice, Stage, bundle

NOWHERE = (108.0, 4.0)
"""Empty ground of the screen."""


class Listener(Stage):
    """A stage with a voice, and somebody who listens."""

    def __init__(self, *, on: bool = True, plugged: bool = False, **fields: object) -> None:
        self.voice = RememberingVoice()
        self.voice.headphones = plugged
        fields.setdefault("languages", ("en", "fi", "sv", "ar"))
        super().__init__(bundle(**fields), voice=self.voice)  # type: ignore[arg-type]
        if on:
            self.flow.key("speech")
            self.wait(1)

    @property
    def on(self) -> bool:
        return "speech" in self.flow.modes

    def word(self, key: str, **values: object) -> str:
        texts = self.bundle.texts[self.language]
        found = texts.get(key + ".spoken", texts[key]).replace("\u00ad", "")
        return (found.format(**values) if values else found).rstrip(".")

    def explore(self, name: str) -> str:
        """Rest on a target; what is said of it."""
        self.rest(*self.middle(name))
        return self.voice.last

    def rest(self, x: float, y: float) -> None:
        self.flow.finger("down", 1, x, y)
        self.wait(0.5)
        self.flow.finger("up", 1, x, y)
        self.wait(0.1)

    def twice(self, at: tuple[float, float] = NOWHERE, *, pause: float = 0.7) -> None:
        for _ in range(2):
            self.flow.finger("down", 1, *at)
            self.wait(0.1)
            self.flow.finger("up", 1, *at)
            self.wait(0.1)
        self.wait(pause)

    def choose(self, name: str) -> None:
        self.explore(name)
        self.twice()

    def since(self, number: int) -> list[str]:
        return self.voice.heard[number:]

    def to_text(self) -> None:
        for name in ("nps.9", "face.5", "face.4", "face.3", "comment.here"):
            self.choose(name)
        assert self.screen == "text"
