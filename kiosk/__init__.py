"""The terminal people tap, and IT's work on device-config/."""
