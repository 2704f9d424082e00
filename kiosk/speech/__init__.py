"""What the terminal says aloud, and what says it; no window in here."""
