"""Kivy's environment and settings; `prepare` runs before anything else imports Kivy."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.ui.keyboard import Key, Keyboard

log = logging.getLogger("hymio.ui")


class NoWindowError(Exception):
    """There is no display to open a window on."""


_home: tempfile.TemporaryDirectory[str] | None = None


class _DisplayMode(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_uint32),
        ("w", ctypes.c_int),
        ("h", ctypes.c_int),
        ("refresh_rate", ctypes.c_int),
        ("driverdata", ctypes.c_void_p),
    )


def screen_size() -> tuple[int, int] | None:
    """The screen's size in px as SDL sees it; None when it does not say.

    On bare X a window in Kivy's fullscreen `auto` stays 800 by 600, so the size is needed before.
    Raises NoWindowError where nobody would see the window.
    """
    found = importlib.util.find_spec("kivy")
    if found is None or not found.submodule_search_locations:
        return None
    package = Path(found.submodule_search_locations[0])
    library = next(iter((package.parent / "Kivy.libs").glob("libSDL2-2*.so*")), None)
    try:
        # The very library Kivy uses, so nothing is initialised twice.
        sdl = ctypes.CDLL(str(library) if library else "libSDL2-2.0.so.0")
    except OSError:
        return None
    video, mode = 0x20, _DisplayMode()
    if sdl.SDL_InitSubSystem(video) != 0:
        raise NoWindowError("no window can be opened: is there a display, and DISPLAY set?")
    try:
        sdl.SDL_GetCurrentVideoDriver.restype = ctypes.c_char_p
        driver = sdl.SDL_GetCurrentVideoDriver()
        # Without a display SDL quietly takes a driver that shows nothing; asked for, it is meant.
        if driver in (b"offscreen", b"dummy") and not os.environ.get("SDL_VIDEODRIVER"):
            raise NoWindowError("no display found: set DISPLAY, or run it on the console")
        if sdl.SDL_GetDesktopDisplayMode(0, ctypes.byref(mode)) != 0:
            return None
    finally:
        sdl.SDL_QuitSubSystem(video)
    return (mode.w, mode.h) if mode.w > 0 and mode.h > 0 else None


def prepare(width: int, height: int, *, fullscreen: bool) -> None:
    """Set Kivy's environment and Config for a window of this size in px."""
    global _home  # noqa: PLW0603 - lives as long as the process, then removes itself
    # Kivy writes icons into its home while it is imported; an unwritable home stops the import.
    _home = tempfile.TemporaryDirectory(prefix="hymio-kivy-", ignore_cleanup_errors=True)
    os.environ.update(
        {
            "KIVY_HOME": _home.name,
            "KIVY_NO_CONFIG": "1",
            "KIVY_NO_FILELOG": "1",
            "KIVY_NO_ARGS": "1",
            "KIVY_NO_ENV_CONFIG": "1",
            "KIVY_LOG_MODE": "PYTHON",
            "KIVY_WINDOW": "sdl2",
            "KIVY_TEXT": "pil",
            # SDL would turn SIGTERM into a request to close the window, which we refuse.
            "SDL_NO_SIGNAL_HANDLERS": "1",
            "SDL_VIDEO_ALLOW_SCREENSAVER": "0",
            "SDL_VIDEO_MINIMIZE_ON_FOCUS_LOSS": "0",
        }
    )
    kivy_log = logging.getLogger("kivy")
    kivy_log.setLevel(logging.WARNING)

    from kivy.config import Config  # noqa: PLC0415 - only after the environment stands

    # Providers that are not installed are reported with tracebacks, though none is asked for.
    kivy_log.setLevel(logging.CRITICAL)

    settings: dict[tuple[str, str], str | int] = {
        ("kivy", "exit_on_escape"): 0,
        ("kivy", "keyboard_mode"): "system",
        ("kivy", "pause_on_minimize"): 0,
        ("graphics", "width"): width,
        ("graphics", "height"): height,
        ("graphics", "fullscreen"): "auto" if fullscreen else 0,
        ("graphics", "borderless"): int(fullscreen),
        ("graphics", "resizable"): 0,
        ("graphics", "position"): "custom" if fullscreen else "auto",
        ("graphics", "left"): 0,
        ("graphics", "top"): 0,
        ("graphics", "show_cursor"): int(not fullscreen),
        ("graphics", "allow_screensaver"): 0,
        # Edges are antialiased in the textures; 4x multisampling costs 34 ms a frame in software.
        ("graphics", "multisamples"): 0,
        # The loop waits for events itself (loop.py); Kivy must not sleep on top of that.
        ("graphics", "maxfps"): 0,
        ("graphics", "vsync"): 0,
    }
    for (section, option), value in settings.items():
        Config.set(section, option, value)
    # mtdev, hidinput and mouse would report one finger up to three times (kivy #3801, #8494).
    for option, _ in list(Config.items("input")):
        Config.remove_option("input", option)
    Config.set("input", "mouse", "mouse,disable_multitouch")


def open_window(
    *, fullscreen: bool, typed: Callable[[str], None], pressed: Callable[[Key], None]
) -> Any:
    """Open the window.

    `pressed` hears of every key, also of those that mean nothing. `typed` gets the characters a
    keyboard or scanner writes, but for the space, which comes as a key.
    """
    from kivy.core.window import Window  # noqa: PLC0415 - opens the window

    if Window is None:
        raise NoWindowError("no window can be opened: is there a display, and DISPLAY set?")
    keyboard = Keyboard(time.monotonic)

    def down(_window: object, _code: int, scancode: int, _text: object, held: list[str]) -> bool:
        pressed(keyboard.down(scancode, held))
        return True

    def wrote(_window: object, text: str) -> None:
        if text != " ":
            typed(text)

    # No Escape, F1, Alt-F4, Ctrl-Q or window manager ends the terminal.
    Window.bind(
        on_request_close=lambda *_args, **_kw: True,
        on_keyboard=lambda *_args, **_kw: True,
        on_key_down=down,
        on_key_up=lambda _window, _code, scancode: keyboard.up(scancode),
        on_textinput=wrote,
    )
    Window.clearcolor = (0, 0, 0, 1)
    if fullscreen and os.environ.get("DISPLAY") and shutil.which("xset"):
        for words in (("s", "off"), ("s", "noblank"), ("-dpms",)):
            subprocess.run(  # noqa: S603
                ["xset", *words],  # noqa: S607 - found by PATH on purpose
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=5,
            )
    return Window


def renderer() -> str:
    """What draws, once the window is open; software is warned of."""
    from kivy.graphics.cgl import cgl_get_backend_name  # noqa: PLC0415
    from kivy.graphics.opengl import GL_RENDERER, glGetString  # noqa: PLC0415

    found = glGetString(GL_RENDERER)
    name = found.decode(errors="replace") if isinstance(found, bytes) else str(found)
    if "llvmpipe" in name:
        log.warning("OpenGL is software (%s): no GPU driver on this device?", name)
    return f"{name} ({cgl_get_backend_name()})"
