"""IT's work on device-config/: read, validate, preview, publish, enrol."""
