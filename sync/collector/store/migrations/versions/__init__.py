"""Alembic's migrations, packaged."""
