"""Commands that edit device-config/."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
