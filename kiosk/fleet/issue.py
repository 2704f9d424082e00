"""Codes on their way out: made here, written onto labels and sticks, registered at the centre."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from kiosk.fleet import enrol as enrolment
from kiosk.fleet import labels
from kiosk.fleet.admin import Admin
from kiosk.fleet.carrying import put_newest
from kiosk.fleet.centre import local, progress
from kiosk.fleet.desk import count, print_json
from kiosk.fleet.errors import FleetError
from kiosk.fleet.usb import Stick
from kiosk.layout.measure import FontError
from sync.contract.bundle import Bundle

MOST_TOLD = 20
"""Devices of a stick named on a screen."""


class LabelError(FleetError):
    """Labels that cannot be drawn or written; the text says what to do."""


@dataclass(frozen=True)
class Output:
    """Where codes go besides the screen."""

    pdf: Path | None
    sheet: str
    stick: Stick | None

    @classmethod
    def checked(cls, pdf: Path | None, sheet: str, usb: Path | None) -> Output:
        """Everything that can be wrong with the targets is said before any code is made."""
        if pdf is not None and not os.access(pdf.parent, os.W_OK):
            raise click.BadParameter(f"{pdf.parent} cannot be written", param_hint="--labels")
        stick = Stick(usb) if usb is not None else None
        return cls(pdf, sheet, stick)

    def ready(self, trusted: str, *, dry_run: bool) -> None:
        """The stick is ours and can be written. Raises StickError."""
        if self.stick is not None:
            self.stick.ours_alone([trusted])
            if not dry_run:
                self.stick.check_writable()


@dataclass(frozen=True)
class Issue:
    """Codes on their way out: made, written, registered."""

    admin: Admin
    trusted: str
    span: dt.timedelta
    zone: dt.tzinfo
    """The organisation's, for labels."""
    endpoint: str = ""
    replace: bool = False
    now: bool = False
    dry_run: bool = False

    def make(self, found: Sequence[Bundle], output: Output) -> list[enrolment.Code]:
        """Labels are written first, under another name: a code nobody has is of no use."""
        until = dt.datetime.now(dt.UTC).replace(microsecond=0) + self.span
        made = [
            enrolment.make(bundle, self.trusted, until, zone=self.zone, endpoint=self.endpoint)
            for bundle in found
        ]
        output.ready(self.trusted, dry_run=self.dry_run)
        if self.dry_run or not made:
            return made
        part = self._write_labels(made, output)
        try:
            enrolment.register(made, self.admin, replace=self.replace, now=self.now)
        except BaseException:
            if part is not None:
                part.unlink(missing_ok=True)
            raise
        if part is not None and output.pdf is not None:
            part.replace(output.pdf)
        if output.stick is not None:
            self._write_stick(made, output.stick)
        return made

    def _write_stick(self, made: Sequence[enrolment.Code], stick: Stick) -> None:
        try:
            with progress(len(made), "writing the stick") as step:
                for code in made:
                    stick.put_ticket(code.ticket)
                    put_newest(stick, code.device, self.admin, self.trusted)
                    step(code)
        except (KeyboardInterrupt, FleetError):
            again = "naming the devices, or with --new --all" if len(made) > 1 else "naming it"
            click.echo(f"hymio: the stick is not complete: repeat the command, {again}", err=True)
            raise

    @staticmethod
    def _write_labels(made: Sequence[enrolment.Code], output: Output) -> Path | None:
        if output.pdf is None:
            return None
        try:
            with progress(len(made), "drawing labels") as step:
                drawn = [code.label for code in made]
                raw = labels.pdf(drawn, labels.SHEETS[output.sheet], done=step)
            part = output.pdf.with_name(f".{output.pdf.name}.{secrets.token_hex(4)}")
            # For the owner alone: until they are used, codes are as good as keys.
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
        except FontError as error:
            raise LabelError(str(error)) from None
        except OSError as error:
            raise LabelError(f"{output.pdf}: cannot be written: {error.strerror}") from None
        return part


def tell(issue: Issue, made: Sequence[enrolment.Code], output: Output) -> None:
    """Say it on a screen: the code first, for whoever has to read it out."""
    if issue.dry_run:
        for code in made:
            click.echo(f"{code.device}: would get a code valid until {local(code.expires_at)}")
    elif len(made) == 1:
        ticket = made[0].ticket
        click.echo(ticket.code)
        click.echo(f"  device       {ticket.device}")
        click.echo(f"  place        {ticket.name}")
        click.echo(f"  endpoint     {ticket.endpoint}")
        click.echo(f"  valid until  {local(made[0].expires_at)}")
        click.echo(f"  fingerprint  {ticket.fingerprint}  (the device checks it)")
    else:
        for code in made:
            click.echo(f"{code.device}  {code.ticket.code}  {code.ticket.name}")
    if not made:
        click.echo(
            "no code is due: every published device is enrolled or has an open code"
            " (--new --all makes those anew)"
        )
    elif len(made) != 1:
        verb = "would get a code" if issue.dry_run else "have a code"
        until = local(made[0].expires_at)
        click.echo(f"{count(len(made), 'device')} {verb}, valid until {until}")
    if not made or issue.dry_run:
        return
    if output.pdf is not None:
        click.echo(f"labels: {output.pdf}, {labels.SHEETS[output.sheet].size}")
    if output.stick is not None:
        here = output.stick.devices()
        click.echo(f"stick {output.stick.folder}: {count(len(here), 'device')}")
        for device in here[:MOST_TOLD]:
            click.echo(f"  {output.stick.carried(device)}")


def told(issue: Issue, made: Sequence[enrolment.Code], output: Output) -> None:
    """Print it for programs; of a dry run no codes, since there are none."""
    rows = [code.as_dict(issue.trusted) for code in made]
    if issue.dry_run:
        rows = [{key: row[key] for key in ("device", "name", "expires_at")} for row in rows]
    print_json(
        {
            "dry_run": issue.dry_run,
            "labels": str(output.pdf or ""),
            "stick": str(output.stick.folder if output.stick else ""),
            **(rows[0] if len(rows) == 1 else {}),
            "devices": rows,
        }
    )


def span(valid: str) -> dt.timedelta:
    """How long a code lives; wrong use when it is no time span."""
    try:
        return enrolment.lifetime(valid)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--valid") from None
