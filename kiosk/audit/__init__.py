"""Checks of screens against the figures of the design and of EN 301 549; nothing is displayed."""
