"""`hymio report`: the numbers."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import cast

import click
import sqlalchemy as sa

from sync.collector.reports.as_json import as_json
from sync.collector.reports.as_text import as_csv, as_table
from sync.collector.reports.build import Builder
from sync.collector.reports.model import BY, By, Sort
from sync.collector.reports.periods import FORMS, Period, PeriodError, to_compare
from sync.collector.reports.publish import for_publication
from sync.collector.reports.queries import Scope
from sync.collector.reports.read import snapshot
from sync.collector.reports.words import LANGUAGES, Words
from sync.collector.store import StoreError, open_reader

UNREACHABLE = 3


class Day(click.ParamType[date]):
    """A day as YYYY-MM-DD."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Read the day; wrong use ends with exit code 2."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day: use YYYY-MM-DD", param, ctx)


@click.command()
@click.option("--database", required=True, metavar="URL", help="sqlite:///… or postgresql://…")
@click.option("--by", type=click.Choice(BY), default="location", show_default=True)
@click.option("--from", "first", type=Day(), help="First day, included.")
@click.option("--to", "last", type=Day(), help="Last day, included.")
@click.option("--compare-to", metavar="PERIOD", help=f"One of: {FORMS}.")
@click.option("--language", type=click.Choice(LANGUAGES), default="fi", show_default=True)
@click.option(
    "--sort", type=click.Choice(["name", "count", "mean", "nps"]), help="Names rise, figures fall."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json"]), default="table",
    show_default=True,
)  # fmt: skip
@click.option("--public", is_flag=True, help="Follow the publishing rules by number of answers.")
def report(
    *,
    database: str,
    by: str,
    first: date | None,
    last: date | None,
    compare_to: str | None,
    language: str,
    sort: str | None,
    form: str,
    public: bool,
) -> None:
    """NPS, means and shares by device, unit, service … for a period (default: every day).

    Exit codes: 0 done, 2 wrong use, 3 the database cannot be reached.
    """
    try:
        period = Period(first, last)
        compared = to_compare(compare_to, period) if compare_to else None
    except PeriodError as error:
        raise click.UsageError(str(error)) from None
    words = Words(language)
    with _database(database) as db:
        builder = Builder(db, words, datetime.now(UTC))
        found = builder.report(
            cast("By", by), Scope(period), compared=compared, sort=cast("Sort | None", sort)
        )
    if public:
        found = for_publication(found)
    if form == "json":
        text = json.dumps(as_json(found, words), ensure_ascii=False, indent=2) + "\n"
    else:
        text = as_csv(found, words) if form == "csv" else as_table(found, words)
    # Bytes: the CSV keeps its line ends, and a bare terminal's encoding cannot fail on "ä".
    click.echo(text.encode(), nl=False)


@contextlib.contextmanager
def _database(url: str) -> Iterator[sa.Connection]:
    """A connection for reading, or the sentence and exit code that say why there is none."""
    try:
        store = open_reader(url)
        try:
            with snapshot(store) as db:
                yield db
        finally:
            store.close()
    except (StoreError, sa.exc.DBAPIError) as error:
        if type(error) is StoreError:
            raise click.UsageError(str(error)) from None
        reason = str(getattr(error, "orig", error)).strip()
        click.echo(f"the database cannot be read: {reason}", err=True)
        sys.exit(UNREACHABLE)
