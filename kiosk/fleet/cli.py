"""`hymio fleet`: IT's work on device-config/."""

from __future__ import annotations

from typing import Any

import click

from kiosk.fleet import (
    add_commands,
    audit_command,
    centre_commands,
    edit_commands,
    file_commands,
    list_command,
    mounting_commands,
    stick_commands,
)
from kiosk.fleet.desk import CANNOT_REACH, DOES_NOT_HOLD, WRONG_USE
from kiosk.fleet.errors import AdminError, ConfigErrors, FleetError, UnreachableError
from kiosk.fleet.guide import WORK, example


class _Group(click.Group):
    """Turns what can go wrong into a sentence and an exit code; lists the commands as IT works."""

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(len(name) for name in self.commands)
        for heading, names in WORK.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(width), self.commands[name].get_short_help_str(100))
                        for name in names
                    ]
                )

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
    """IT's work: from an empty folder to terminals in use, and what changes later.

    device-config/README.md tells it step by step; each command's --help has an example.

    Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use, 3 cannot reach something.
    """


for _command in (
    *file_commands.COMMANDS,
    *list_command.COMMANDS,
    *audit_command.COMMANDS,
    *mounting_commands.COMMANDS,
    *add_commands.COMMANDS,
    *edit_commands.COMMANDS,
    *centre_commands.COMMANDS,
    *stick_commands.COMMANDS,
):
    # No wrapping, so that the line can be copied.
    _command.epilog = f"\b\nExample:\n  {example(str(_command.name))}"
    fleet.add_command(_command)
