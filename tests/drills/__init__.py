"""Drills: the promise on trial at every point where the power may go; run by `make drill`."""
