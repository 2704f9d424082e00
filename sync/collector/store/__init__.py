"""Where the centre keeps things: tables, migrations, SQLite and PostgreSQL."""
