"""Provisioning: dated names and places, opening hours, merged services, corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def upgrade() -> None:
    """Add the columns; on SQLite each table is copied, so that it is as a fresh one."""
    added: dict[str, list[sa.Column[str] | sa.Column[int]]] = {
        "devices": [
            *(_text("history"), _text("digest"), _text("published_by")),
            sa.Column("published_ms", sa.BigInteger(), nullable=True),
            sa.Column("wiping", sa.BigInteger(), server_default="0", nullable=False),
        ],
        "locations": [_text("hours"), _text("history")],
        "services": [
            *(_text("short_name"), _text("since"), _text("until")),
            *(_text("merged_into"), _text("history")),
        ],
    }
    copied = op.get_context().dialect.name == "sqlite"
    for table, columns in added.items():
        with op.batch_alter_table(table, recreate="always" if copied else "never") as batch:
            for column in columns:
                batch.add_column(column)
    op.create_table(
        "corrections",
        sa.Column(
            "no",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        *(_text("device"), _text("since"), _text("until"), _text("location"), _text("reason")),
        _text("made_by"),
        sa.Column("made_ms", sa.BigInteger(), server_default="0", nullable=False),
        _text("withdrawn_by"),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_device"), "corrections", ["device"], unique=False)
