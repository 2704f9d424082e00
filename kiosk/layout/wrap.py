"""Where lines break: as few lines as fit, and of those the most even ones.

A line may break at a space, after "/", before "(" and at a soft hyphen, which shows as a hyphen
only where a line breaks there; never elsewhere inside a word.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

SOFT: Final = "\u00ad"

_PENALTY: Final = {SOFT: 1.0, "/": 0.1}
"""What a break there costs, in squared lines: a space is the better place."""

Width = Callable[[str], float]
"""Millimetres a text takes."""


def _pieces(paragraph: str) -> list[str]:
    """The unbreakable pieces, each with the space or soft hyphen after it."""
    pieces: list[str] = []
    start = 0
    for i in range(1, len(paragraph)):
        before, here = paragraph[i - 1], paragraph[i]
        if (
            (before == " " and here != " ")
            or (before == "/" and here not in "/ ")
            or before == SOFT
            # An opening bracket inside a word, as in "согласен(-на)", never right after a space.
            or (here == "(" and before not in " (")
        ):
            pieces.append(paragraph[start:i])
            start = i
    pieces.append(paragraph[start:])
    return pieces


def _shown(pieces: list[str]) -> str:
    """A line as it is drawn: its last soft hyphen is a hyphen, the others nothing."""
    text = "".join(pieces).strip(" ")
    cut = text.endswith(SOFT)
    return text.replace(SOFT, "").replace("\xa0", " ") + ("-" if cut else "")


def _even(pieces: list[str], limit: float, width: Width) -> list[str]:
    """Fewest lines, then the smallest sum of squared widths; hyphens only where they save a line.

    A piece wider than the limit stands alone on its line; the caller sees that it does not fit.
    """
    n = len(pieces)
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)] * (n + 1)
    for end in range(1, n + 1):
        found: tuple[int, float, int] | None = None
        for start in range(end - 1, -1, -1):
            wide = width(_shown(pieces[start:end]))
            if wide > limit + 1e-6 and start < end - 1:
                break
            lines, cost, _ = best[start]
            ends = pieces[end - 1][-1:] if end < n else ""
            cost += wide * wide + _PENALTY.get(ends, 0.0) * limit * limit
            here = (lines + 1, cost, start)
            if found is None or here < found:
                found = here
        assert found is not None  # noqa: S101 - start = end - 1 never breaks off
        best[end] = found
    lines_out: list[str] = []
    end = n
    while end > 0:
        start = best[end][2]
        lines_out.append(_shown(pieces[start:end]))
        end = start
    return lines_out[::-1]


def balance(text: str, limit: float, width: Width) -> tuple[str, ...]:
    """`text` as lines no wider than `limit` mm where its breaks allow; "\\n" always breaks."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines.extend(_even(_pieces(paragraph.strip(" ")), limit, width))
    return tuple(lines)


def fill(text: str, limit: float, width: Width) -> list[str]:
    """`text` in lines filled one after the other, as long text reads best; "\\n" breaks."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line: list[str] = []
        for piece in _pieces(paragraph.strip(" ")):
            if line and width(_shown([*line, piece])) > limit:
                lines.append(_shown(line))
                line = []
            line.append(piece)
        lines.append(_shown(line))
    return lines


def typed(text: str, limit: float, width: Width) -> list[str]:
    """Typed text in lines: nothing is dropped but the line breaks, a long word breaks anywhere.

    Spaces at a line's end stay there and may hang over the limit.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for piece in _words(paragraph):
            wide = width(piece.rstrip(" "))
            if line and used + wide > limit:
                lines.append(line)
                line, used = "", 0.0
            while wide > limit and len(piece) > 1:
                cut = _cut(piece, limit, width)
                lines.append(piece[:cut])
                piece = piece[cut:]  # noqa: PLW2901 - what is left of the piece
                wide = width(piece.rstrip(" "))
            line += piece
            used += width(piece)
        lines.append(line)
    return lines


def _words(paragraph: str) -> list[str]:
    """Words, each with the spaces after it."""
    words: list[str] = []
    start = 0
    for i in range(1, len(paragraph)):
        if paragraph[i - 1] == " " and paragraph[i] != " ":
            words.append(paragraph[start:i])
            start = i
    words.append(paragraph[start:])
    return words


def _cut(word: str, limit: float, width: Width) -> int:
    """How many characters of a word fit; at least one."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if width(word[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low
