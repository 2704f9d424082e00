"""Where the files that belong to the program lie."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def assets() -> Path:
    """The folder with wording, faces and sounds."""
    return _beside("assets")


@cache
def example_config() -> Path:
    """The example county's device-config folder."""
    return _beside("device-config")


def _beside(name: str) -> Path:
    """Inside the package in an installed wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
