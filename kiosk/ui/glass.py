"""The window's one widget: a page as a texture, and small textures over it for what changed.

A page is painted once; a press, a chosen answer, the text field and the countdown bar repaint
their own rectangle only, which is what keeps a tap fast where the GL driver is software.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget
from PIL import Image

from kiosk.layout.page import Page
from kiosk.ui.paint import Painter, Px, State
from kiosk.ui.pictures import Pictures

Finger = Callable[[str, object, float, float], None]
"""Called with `down`, `move` or `up`, the touch's identity, and millimetres from the top left."""


class Glass(Widget):
    """Shows pages; tells where it is touched."""

    def __init__(
        self,
        size: tuple[int, int],
        finger: Finger,
        changed: Callable[[Px | None], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        width, height = size
        self._finger, self._changed = finger, changed
        self._pictures = Pictures()
        self._unpacked: tuple[Page, Painter, bytes] | None = None
        """Painted for somebody who waited; packed when nobody does."""
        self._over: dict[str, tuple[Rectangle, Px]] = {}
        self._size_px = (width, height)
        self._page: Page | None = None
        self._painter: Painter | None = None
        self._base, self._spare = self._screen(), self._screen()
        self._loaded: tuple[Page | None, Painter | None] = (None, None)
        """What the spare texture holds."""
        with self.canvas:
            Color(1, 1, 1, 1)
            self._rectangle = Rectangle(texture=self._base, pos=(0, 0), size=(width, height))

    def show(self, page: Page, painter: Painter, states: Mapping[str, State]) -> None:
        """Another page, some of its targets in a state other than rest."""
        if page is not self._page or painter is not self._painter:
            self._load(page, painter)
            self._base, self._spare = self._spare, self._base
            self._loaded = (self._page, self._painter)
            self._rectangle.texture = self._base
        self._page, self._painter = page, painter
        self.forget()
        for name, state in states.items():
            self.state(name, state)
        self._changed(None)
        self.canvas.ask_update()

    def prepare(self, page: Page, painter: Painter) -> None:
        """Paint a page that will be shown soon, keep it, and have it ready as a texture."""
        if not self._pictures.has(page, painter):
            self._pictures.keep_page(page, painter, painter.page(page).tobytes())
        self._load(page, painter)

    def keep(self) -> None:
        """Keep the page that is shown, if it had to be painted for that."""
        if self._unpacked is not None:
            self._pictures.keep_page(*self._unpacked)
            self._unpacked = None

    def _load(self, page: Page, painter: Painter) -> None:
        """Bring a page into the spare texture: unpacking and copying take 7 ms, swapping none."""
        loaded = self._loaded
        if loaded[0] is page and loaded[1] is painter:
            return
        self._unpacked = None
        pixels = self._pictures.page(page, painter)
        if pixels is None:
            pixels = painter.page(page).tobytes()
            self._unpacked = (page, painter, pixels)
        self._spare.blit_buffer(pixels, colorfmt="rgb", bufferfmt="ubyte")
        self._loaded = (page, painter)

    def state(self, name: str, state: State) -> None:
        """One target of the page shown in a state."""
        page, painter = self._page, self._painter
        if page is None or painter is None:
            return
        target = next((target for target in page.targets if target.name == name), None)
        if target is None:
            return
        if state == "rest":
            self._remove(name)
            return
        region = painter.region(target)
        pixels = self._pictures.target(page, painter, name, state)
        if pixels is None:
            image = self._bare(region)
            painter.moved(region).target(image, target, state, page.rtl)
            pixels = image.tobytes()
            self._pictures.keep_target(page, painter, name, state, pixels)
        self._place(name, self._texture(region, pixels), region)

    def patch(self, name: str, region: Px, draw: Callable[[Image.Image, Painter], None]) -> None:
        """Redraw a region over the page; `draw` gets bare ground and a painter moved to it."""
        if self._painter is None or region[2] <= region[0] or region[3] <= region[1]:
            return
        image = self._bare(region)
        draw(image, self._painter.moved(region))
        # Not kept: what a visitor typed must not stay in a cache.
        self._place(name, self._texture(region, image.tobytes()), region)

    def forget(self) -> None:
        """Drop every patch: nothing of a visitor stays."""
        for name in list(self._over):
            self._remove(name)

    def _bare(self, region: Px) -> Image.Image:
        assert self._painter is not None  # noqa: S101 - a page is shown
        # Not over what is there: the corners of the resting target would shine through.
        size = (region[2] - region[0], region[3] - region[1])
        return Image.new("RGB", size, self._painter.theme.ground)

    def _screen(self) -> Texture:
        """A texture for a whole page."""
        texture = Texture.create(size=self._size_px, colorfmt="rgb", bufferfmt="ubyte")
        texture.flip_vertical()
        texture.mag_filter = texture.min_filter = "nearest"
        return texture

    @staticmethod
    def _texture(region: Px, pixels: bytes) -> Texture:
        size = (region[2] - region[0], region[3] - region[1])
        texture = Texture.create(size=size, colorfmt="rgb", bufferfmt="ubyte")
        texture.blit_buffer(pixels, colorfmt="rgb", bufferfmt="ubyte")
        texture.flip_vertical()
        texture.mag_filter = texture.min_filter = "nearest"
        return texture

    def _place(self, name: str, texture: Texture, region: Px) -> None:
        self._remove(name)
        left, top, right, bottom = region
        rectangle = Rectangle(
            texture=texture,
            pos=(left, self._size_px[1] - bottom),
            size=(right - left, bottom - top),
        )
        self.canvas.add(rectangle)
        self._over[name] = (rectangle, region)
        self._changed(region)

    def _remove(self, name: str) -> None:
        found = self._over.pop(name, None)
        if found is not None:
            self.canvas.remove(found[0])
            self._changed(found[1])

    def on_touch_down(self, touch: Any) -> bool:
        """The left button or a finger; every other button does nothing."""
        return self._touched("down", touch)

    def on_touch_move(self, touch: Any) -> bool:
        """A finger slides."""
        return self._touched("move", touch)

    def on_touch_up(self, touch: Any) -> bool:
        """A finger leaves."""
        return self._touched("up", touch)

    def _touched(self, what: str, touch: Any) -> bool:
        if getattr(touch, "button", "left") != "left" or self._painter is None:
            return True
        x, y = self._painter.view.mm(touch.x, self._size_px[1] - touch.y)
        self._finger(what, touch.uid, x, y)
        return True
