"""`hymio fleet`: IT's work on device-config/."""

from __future__ import annotations

from typing import Any

import click

from kiosk.fleet import (
    add_commands,
    centre_commands,
    edit_commands,
    file_commands,
    list_command,
    stick_commands,
)
from kiosk.fleet.desk import CANNOT_REACH, DOES_NOT_HOLD, WRONG_USE
from kiosk.fleet.errors import AdminError, ConfigErrors, FleetError, UnreachableError


class _Group(click.Group):
    """Turns what can go wrong into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigErrors as error:
            click.echo(str(error), err=True)
            ctx.exit(DOES_NOT_HOLD)
        except FleetError as error:
            click.echo(f"hymio: {error}", err=True)
            ctx.exit(_exit_code(error))


def _exit_code(error: FleetError) -> int:
    if isinstance(error, UnreachableError):
        return CANNOT_REACH
    return DOES_NOT_HOLD if isinstance(error, AdminError) else WRONG_USE


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def fleet() -> None:
    """IT's work on device-config/: edit, check, look, publish, enrol.

    Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use, 3 cannot reach something.
    """


for _command in (
    *file_commands.COMMANDS,
    *list_command.COMMANDS,
    *add_commands.COMMANDS,
    *edit_commands.COMMANDS,
    *centre_commands.COMMANDS,
    *stick_commands.COMMANDS,
):
    fleet.add_command(_command)
