"""`hymio kiosk` that stops itself once, between a change of screens and its drawing.

With HYMIO_WEAKENED it is not told when a screen is drawn, as it once was.
"""

from __future__ import annotations

import os
import signal

from kiosk.cli import main
from kiosk.ui.guard import Guard
from kiosk.ui.scene import Scene

_show = Scene.show
_stopped: list[int] = []


def _stop(scene: Scene, *, quiet: bool = True) -> None:
    _show(scene, quiet=quiet)
    if scene.page is not None and scene.page.screen == "face" and not _stopped:
        _stopped.append(1)
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    Scene.show = _stop  # type: ignore[method-assign]
    if os.environ.get("HYMIO_WEAKENED"):
        Guard.drawn = lambda _: None  # type: ignore[method-assign]
    main()
