"""What the files mean, taken together: every error at once."""

from __future__ import annotations

from kiosk.fleet.errors import ConfigError
from kiosk.fleet.tree import Tree

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def problems(tree: Tree) -> list[ConfigError]:
    """Errors and warnings of the whole folder, sorted by file and line."""
    return sorted(set(tree.errors))
