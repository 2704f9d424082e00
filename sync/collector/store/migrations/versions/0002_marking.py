"""What the centre's flags need: which devices have changed, and a device's visits by day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create `unmarked`, with every device that has visits; visits are found by device and day."""
    op.create_table(
        "unmarked",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), server_default="", nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_unmarked")),
    )
    op.execute(
        "insert into unmarked(device, day, turn, done) select distinct device, '', 1, 0 from visits"
    )
    op.drop_index(op.f("ix_visits_day"), table_name="visits")
    op.create_index(op.f("ix_visits_device_day"), "visits", ["device", "day"], unique=False)
