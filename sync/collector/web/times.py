"""Instants for people: how long ago, and when exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from markupsafe import Markup, escape

from sync.collector.reports.words import Words


def ago(at: datetime, now: datetime, words: Words) -> str:
    """`20 s ago`, `3 min ago`, `5 h ago`, `12 days ago`; the day of an instant yet to come."""
    gone = now - at
    if gone < timedelta(minutes=-2):
        return words.day(at.date())
    seconds = max(0, int(gone.total_seconds()))
    for unit, size, least in (("days", 86400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if seconds >= size * least:
            return words(f"ago.{unit}", n=words.whole(seconds // size))
    return words("ago.s", n=seconds)


def moment_of(value: object) -> datetime | None:
    """An instant as a device writes it, ISO 8601 with offset; None for anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


class Clock:
    """Writes instants in one language, one time zone, seen from one moment."""

    def __init__(self, words: Words, zone: tzinfo, now: datetime) -> None:
        """`now` is an aware instant."""
        self.words, self.zone = words, zone
        self.now = now.astimezone(zone)

    def exact(self, at: datetime) -> str:
        """Day and time of day."""
        return self.words.moment(at.astimezone(self.zone))

    def ago(self, at: datetime) -> Markup:
        """How long ago; the exact moment on hover, and read out to those who do not see."""
        exact = self.exact(at)
        return Markup(
            '<time datetime="{}" title="{}">{}<span class="unseen"> ({})</span></time>'
        ).format(
            at.astimezone(UTC).isoformat(timespec="seconds"),
            exact,
            ago(at.astimezone(self.zone), self.now, self.words),
            exact,
        )

    def said(self, key: str, at: datetime) -> Markup:
        """How long ago, within the wording of `key`."""
        return Markup(escape(self.words(key, when="{}"))).format(self.ago(at))  # noqa: S704

    def day(self, at: datetime) -> str:
        """The day."""
        return self.words.day(at.astimezone(self.zone).date())

    def until(self, at: datetime) -> str:
        """The time of day of an instant today, else the day too."""
        exact, today = self.exact(at), self.words.day(self.now.date())
        return exact.removeprefix(f"{today} ")

    def at(self, at: datetime) -> Markup:
        """The exact moment, for programs too."""
        return Markup('<time datetime="{}">{}</time>').format(
            at.astimezone(UTC).isoformat(timespec="seconds"), self.exact(at)
        )
