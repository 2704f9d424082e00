"""The soak: many visits through the real terminal; run by `make soak`."""
