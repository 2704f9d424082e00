"""What was painted is kept, packed: painting is most of the work of a visit."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass, field

from kiosk.layout.page import Page
from kiosk.ui.paint import Painter, State

MOST = 8 * 2**20
"""Bytes kept: a page of 3 MB takes about 50 kB packed, a pressed button 3 kB."""
MOST_PAGES = 128
"""A page weighs more than its packed picture where the screen is small."""


@dataclass(slots=True)
class _Kept:
    page: Page
    """So that its id cannot be taken by another."""
    picture: bytes
    targets: dict[tuple[str, State], bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.picture) + sum(map(len, self.targets.values()))


class Pictures:
    """Pixels of pages and of their targets; the page used longest ago goes first."""

    def __init__(self, most: int = MOST, pages: int = MOST_PAGES) -> None:
        self._most, self._pages = most, pages
        self._size = 0
        self._kept: OrderedDict[tuple[int, int], _Kept] = OrderedDict()

    def has(self, page: Page, painter: Painter) -> bool:
        """Whether a page is kept; counts as use."""
        return self._used(page, painter) is not None

    def page(self, page: Page, painter: Painter) -> bytes | None:
        """The pixels of a page; None where they are not kept."""
        kept = self._used(page, painter)
        return zlib.decompress(kept.picture) if kept else None

    def target(self, page: Page, painter: Painter, name: str, state: State) -> bytes | None:
        """The pixels of one target in a state; None where they are not kept."""
        kept = self._used(page, painter)
        packed = kept.targets.get((name, state)) if kept else None
        return zlib.decompress(packed) if packed else None

    def keep_page(self, page: Page, painter: Painter, pixels: bytes) -> None:
        """Keep the pixels of a page."""
        key = (id(page), id(painter))
        self._drop(self._kept.pop(key, None))
        self._kept[key] = kept = _Kept(page, zlib.compress(pixels, 1))
        self._size += kept.size
        self._trim()

    def keep_target(
        self, page: Page, painter: Painter, name: str, state: State, pixels: bytes
    ) -> None:
        """Keep the pixels of one target, if its page is kept: what is shown once is not."""
        kept = self._used(page, painter)
        if kept is not None and (name, state) not in kept.targets:
            kept.targets[name, state] = packed = zlib.compress(pixels, 1)
            self._size += len(packed)
            self._trim()

    def _used(self, page: Page, painter: Painter) -> _Kept | None:
        key = (id(page), id(painter))
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def _trim(self) -> None:
        while self._size > self._most or len(self._kept) > self._pages:
            self._drop(self._kept.popitem(last=False)[1])

    def _drop(self, kept: _Kept | None) -> None:
        if kept is not None:
            self._size -= kept.size
