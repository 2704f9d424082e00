"""Everything that imports Kivy."""
