"""Drills: the promise on trial against everything that breaks; run by `make drill`.

A folder a part: its `drill.py` has `drill(options)`, which yields a Row for each kind of failure.
`site.py` is a device with its centre in one process; `tests/faults` has the same as processes.
"""
