"""The tables of the centre, for SQLite and PostgreSQL alike.

`records` is the truth; `visits`, `answers`, `daily_counts` and `hourly_counts` are computed from it
and can be computed anew (`rebuild`). Instants are milliseconds since 1970 UTC (`*_ms`), days are
ISO dates in the location's zone, unknown texts are empty, never NULL. `flags`, `mode` and the like
are sorted words with a space between.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)

# SQLite numbers rows by itself only for a plain INTEGER key.
_Counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, **options: object) -> sa.Column[str]:
    """A text that is empty when unknown."""
    options.setdefault("server_default", "")
    return sa.Column(name, sa.Text, nullable=False, **options)  # type: ignore[arg-type]


def _key(name: str) -> sa.Column[str]:
    """A text that is part of the primary key."""
    return sa.Column(name, sa.Text, primary_key=True)


def _int(name: str, default: int | None = None) -> sa.Column[int]:
    """A 64-bit number, NULL only when it has no default."""
    if default is None:
        return sa.Column(name, sa.BigInteger)
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=str(default))


def _flag(name: str) -> sa.Column[bool]:
    """True or false, false unless said."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


# --- the truth ---------------------------------------------------------------------------------

records = sa.Table(
    "records",
    metadata,
    sa.Column("no", _Counter, primary_key=True, autoincrement=True),  # order of arrival
    _text("device"),
    _text("id"),
    _text("epoch"),
    _int("seq", 0),
    sa.Column("fork", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sha256", sa.LargeBinary, nullable=False),  # of the bytes as they came, 32 bytes
    sa.Column("raw", sa.LargeBinary),  # NULL once purged
    _text("code"),  # why it is in quarantine; empty: it counts
    _text("visit"),
    _int("instant_ms", 0),  # corrected, fixed at first acceptance
    _text("quality"),  # synced | boot | clocks | received (day only)
    _text("day"),
    sa.Column("hour", sa.SmallInteger, nullable=False, server_default="-1"),  # local; -1 unknown
    _int("received_ms", 0),
    _int("purged_ms"),
    sa.UniqueConstraint("device", "id", name="uq_records_device_id"),
    sa.UniqueConstraint("device", "epoch", "seq", "fork", name="uq_records_position"),
    sa.Index(
        "ix_records_quarantined",
        "device",
        "epoch",
        sqlite_where=sa.text("code <> ''"),
        postgresql_where=sa.text("code <> ''"),
    ),
)

exceptions = sa.Table(
    "exceptions",
    metadata,
    # Positions that hold no record of their own yet count as had.
    _key("device"),
    _key("epoch"),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _key("kind"),  # held | conflict | duplicate
    _text("id"),
    _text("code"),
    _int("at_ms", 0),
)

conflicts = sa.Table(
    "conflicts",
    metadata,
    # A known (device, id) with other bytes: acknowledged, kept, not counted.
    _key("device"),
    _key("id"),
    sa.Column("sha256", sa.LargeBinary, primary_key=True),
    _text("epoch"),
    _int("seq", 0),
    sa.Column("raw", sa.LargeBinary),
    _int("received_ms", 0),
)

epochs = sa.Table(
    "epochs",
    metadata,
    # One outbox file of one device. stored = counted + quarantined records at this centre.
    _key("device"),
    _key("epoch"),
    _int("have", 0),  # every seq up to here is stored, held or lost
    _int("tail", 0),  # highest seq the device ever assigned, as it last said
    _int("top", 0),  # highest seq seen here
    _int("stored", 0),
    _int("quarantined", 0),
    _int("held", 0),
    _int("lost", 0),
    _int("forks", 0),
    _int("conflicts", 0),
    _flag("new_epoch"),  # the device was asked to begin another
    _text("key"),  # the key that first used it: what a retired key may still drain
    _int("first_ms", 0),
    _int("last_ms", 0),
)

# --- computed from the truth ---------------------------------------------------------------------

visits = sa.Table(
    "visits",
    metadata,
    _key("device"),
    _key("visit"),
    _text("location"),
    _text("municipality"),
    _text("service"),  # chosen, or the only one of the place; empty: not stated
    _text("respondent"),
    _text("channel"),
    _text("survey"),
    _text("language"),
    _text("day"),
    _int("first_ms", 0),
    _text("how"),  # empty while no end has come
    _text("end_id"),
    _int("duration_ms"),
    _text("shown"),  # JSON array of questions
    _text("skipped"),  # JSON array of questions
    _text("selection"),
    _text("end_flags"),  # as the end record says
    _int("end_ms"),
    _text("end_day"),
    _text("flags"),  # the end's and its answers' flags
    _text("centre_flags"),  # burst, clone, ten-run: set here, can be computed anew
    _flag("end_test"),
    _flag("flagged"),  # any of MISUSE
    _flag("test"),
    sa.Index(None, "device", "day"),
    sqlite_with_rowid=False,
)

unmarked = sa.Table(
    "unmarked",
    metadata,
    # Devices whose visits have changed since their centre_flags were last computed: done < turn.
    _key("device"),
    _text("day"),  # the earliest that changed; empty: from the first on
    _int("turn", 0),  # rises with every change
    _int("done", 0),  # the turn whose records have been looked at
)

answers = sa.Table(
    "answers",
    metadata,
    # Per (device, visit, question) the value that counts: the highest n, then the highest id.
    _key("device"),
    _key("visit"),
    _key("question"),
    _int("n", 1),
    _text("id"),
    _text("kind"),  # scale | choice | text | sealed | withdrawn
    sa.Column("value", sa.SmallInteger),  # scale only
    _text("choice"),
    sa.Column("text", sa.Text),  # open text; NULL otherwise and once purged
    _text("redacted"),  # JSON object category -> count, or empty
    _text("language"),
    _text("survey"),
    sa.Column("config", sa.Integer, nullable=False, server_default="0"),
    _text("location"),
    _text("channel"),
    _text("layout"),
    _text("mode"),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    _text("flags"),
    _text("privacy"),
    _flag("test"),
    _int("instant_ms", 0),
    _text("quality"),
    _text("day"),
    sa.Column("hour", sa.SmallInteger, nullable=False, server_default="-1"),
    # Open feedback is read by day; a partial index costs scale answers nothing.
    sa.Index(
        "ix_answers_text_day",
        "day",
        sqlite_where=sa.text("text IS NOT NULL"),
        postgresql_where=sa.text("text IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

daily_counts = sa.Table(
    "daily_counts",
    metadata,
    # Scale answers only. The day comes first: reports read ranges of days.
    _key("day"),
    _key("question"),
    _key("device"),
    _key("location"),
    _key("municipality"),
    _key("service"),
    _key("channel"),
    _key("survey"),
    _key("language"),
    _key("layout"),
    _key("mode"),
    sa.Column("flagged", sa.Boolean, primary_key=True),
    sa.Column("test", sa.Boolean, primary_key=True),
    sa.Column("value", sa.SmallInteger, primary_key=True, autoincrement=False),
    _int("n", 0),
    sqlite_with_rowid=False,
)

hourly_counts = sa.Table(
    "hourly_counts",
    metadata,
    # Scale answers whose hour is known. weekday 0 = Monday.
    _key("location"),
    _key("month"),  # YYYY-MM
    _key("question"),
    sa.Column("weekday", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("hour", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("test", sa.Boolean, primary_key=True),
    _int("n", 0),
    sqlite_with_rowid=False,
)

# --- devices -------------------------------------------------------------------------------------

devices = sa.Table(
    "devices",
    metadata,
    _key("id"),
    _text("name"),
    _text("location"),
    _text("state"),  # expected | enrolled | active | retired | revoked
    _text("reason"),
    _int("version", 0),  # of the newest bundle; 0: none
    sa.Column("bundle", sa.LargeBinary),  # the container, exact bytes
    _text("bundle_sha256"),
    _text("status"),  # JSON object: what the device last said of itself
    _int("last_seen_ms"),
    _int("created_ms", 0),
    _text("history"),  # JSON array: where it was meant to stand up to which day, as IT dated it
    _text("digest"),  # hex SHA-256 of the bundle's content with version 0; empty: not known
    _text("published_by"),
    _int("published_ms"),
    _int("wiping", 0),  # version of the bundle that erases it; 0: none does
)

keys = sa.Table(
    "keys",
    metadata,
    _key("key"),  # base64 of the 32 raw bytes
    _text("device"),
    _text("state"),  # pending | active | retired | revoked
    _text("reason"),
    _int("since_ms", 0),
    _int("until_ms"),
    sa.Index(None, "device"),
)

codes = sa.Table(
    "codes",
    metadata,
    _key("code_sha256"),
    _text("device"),
    _text("bound_key"),
    _text("created_by"),
    _int("created_ms", 0),
    _int("expires_ms", 0),
    _int("confirmed_ms"),
    _int("cancelled_ms"),
    sa.Index(None, "device"),
)

assignments = sa.Table(
    "assignments",
    metadata,
    # Where a device was meant to stand, from when on. What an answer says itself comes first,
    # and what `corrections` says of it comes before that.
    _key("device"),
    sa.Column("since_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("location"),
    _text("name"),
)

corrections = sa.Table(
    "corrections",
    metadata,
    # Answers of a device that count for another location. Of several that fit, the highest number.
    sa.Column("no", _Counter, primary_key=True, autoincrement=True),
    _text("device"),
    _text("since"),  # local day, or instant (ISO, UTC); included
    _text("until"),  # local day, included; or instant, not included
    _text("location"),
    _text("reason"),
    _text("made_by"),
    _int("made_ms", 0),
    _text("withdrawn_by"),
    _int("withdrawn_ms"),
    sa.Index(None, "device"),
)

# --- catalogue ------------------------------------------------------------------------------

locations = sa.Table(
    "locations",
    metadata,
    _key("id"),
    sa.Column("name", sa.JSON, nullable=False),  # language -> name
    _text("municipality"),
    _text("timezone", server_default="Europe/Helsinki"),
    sa.Column("services", sa.JSON, nullable=False),  # ids
    _text("hours"),  # JSON object: mon .. sun -> opening hours; empty: always open
    _text("history"),  # JSON array: what it was called, and in which municipality, up to a day
)

places = sa.Table(
    "places",
    metadata,
    # A location's municipality and only service, from a day on ('' = from the beginning).
    _key("location"),
    _key("since"),
    _text("municipality"),
    _text("service"),
)

services = sa.Table(
    "services",
    metadata,
    _key("id"),
    sa.Column("name", sa.JSON, nullable=False),  # language -> name
    _text("grouping"),
    _text("short_name"),  # JSON object: language -> name
    _text("since"),  # first day it is given
    _text("until"),  # last day it is given
    _text("merged_into"),  # the service its answers count for once `until` is over
    _text("history"),  # JSON array: what it was called up to a day
)

surveys = sa.Table(
    "surveys",
    metadata,
    _key("ref"),  # id@version; never changes once known
    _text("scale"),
    sa.Column("statements", sa.JSON, nullable=False),  # [{"id", "theme"}]
    _int("created_ms", 0),
)

survey_texts = sa.Table(
    "survey_texts",
    metadata,
    _key("survey"),
    _key("language"),
    _key("question"),
    _text("text"),
)

organisation = sa.Table(
    "organisation",
    metadata,
    # At most one row: one organisation per centre.
    _key("id"),
    sa.Column("name", sa.JSON, nullable=False),  # language -> name
    _text("key"),  # base64
    sa.Column("next_keys", sa.JSON, nullable=False),
    _text("timezone", server_default="Europe/Helsinki"),
    sa.Column("targets", sa.JSON, nullable=False),  # {"nps": 80, "fully_agree_pct": 80}
)

# --- people and bookkeeping -----------------------------------------------------------------------

operators = sa.Table(
    "operators",
    metadata,
    _key("name"),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # base64
    _int("created_ms", 0),
    _int("disabled_ms"),
)

users = sa.Table(
    "users",
    metadata,
    _key("name"),
    _text("password_hash"),  # argon2
    _text("role"),  # viewer | admin
    _int("created_ms", 0),
    _int("disabled_ms"),
)

sessions = sa.Table(
    "sessions",
    metadata,
    _key("token_sha256"),  # hex; the token itself is only in the cookie
    _text("user"),
    _text("csrf"),
    _text("language"),
    _int("created_ms", 0),
    _int("expires_ms", 0),
    sa.Index(None, "user"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("no", _Counter, primary_key=True, autoincrement=True),
    _int("at_ms", 0),
    _text("who"),
    _text("what"),
    _text("detail"),  # JSON object
)

meta = sa.Table(
    "meta",
    metadata,
    # centre: this centre's id.
    _key("key"),
    _text("value"),
)

MISUSE = frozenset({"rush", "mash", "straight-rush", "closed", "burst", "clone", "ten-run"})
"""The flags that mark a visit; `maybe-two` and the like describe it without marking it."""
