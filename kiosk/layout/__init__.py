"""Millimetres on glass to rectangles: which arrangement fits this panel. Pure: no Kivy, no disk."""
