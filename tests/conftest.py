"""What every test shares."""

from __future__ import annotations

import os

from hypothesis import settings

# Where the result decides whether a change lands, the same examples every time; elsewhere new ones.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
