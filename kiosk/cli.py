"""The command `hymio`: a group is imported when used, so a server needs no Kivy."""

from __future__ import annotations

import importlib
from typing import Any

import click

# name -> (module, attribute, help); the help stands here so that `--help` imports nothing.
COMMANDS = {
    "demo": ("kiosk.demo", "demo", "Centre, terminal and sender on this machine."),
    "kiosk": ("kiosk.terminal", "kiosk", "The terminal."),
    "sync": ("sync.device_cli", "sync", "The sender: outbox to centre."),
    "ledger": ("sync.device_cli", "ledger", "What was created, acknowledged, held, to send."),
    "wipe": ("sync.wiping", "wipe", "Erase what this device holds."),
    "collector": ("sync.collector.cli", "collector", "The centre."),
    "report": ("sync.collector.reports.cli", "report", "The numbers."),
    "fleet": ("kiosk.fleet.cli", "fleet", "IT's work on device-config/."),
    "simulate": ("sync.simulate", "simulate", "Many senders with real outboxes, for load."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; say which extra is missing when its libraries are."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        try:
            command: Any = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in ("kiosk", "sync"):
                raise
            raise click.ClickException(
                f"`hymio {cmd_name}` needs the library {error.name!r}, which is not installed here"
                " (extras: hymio[device], hymio[centre], hymio[fleet])"
            ) from None
        found: click.Command = command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hymio")
def cli() -> None:
    """Hymiö, the open feedback terminal.

    Exit codes: 0 done, 1 the thing checked does not hold, 2 wrong use, 3 cannot reach something.
    """


def main() -> None:
    """Entry point."""
    cli(prog_name="hymio")


if __name__ == "__main__":
    main()
