"""Alembic's entry: runs on the connection `migrate` hands over, in its transaction."""

from alembic import context

from sync.collector.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter columns in place; Alembic then copies the table.
    render_as_batch=True,
)
context.run_migrations()
