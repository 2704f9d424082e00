"""Millimetres on glass: which arrangement fits this panel, as rectangles. Pure; no Kivy."""
