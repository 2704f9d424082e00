"""The numbers: statistics (pure), the queries that feed them, and how they are printed."""
