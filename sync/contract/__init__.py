"""What both ends agree on: records, the wire, the signed configuration bundle. Pure."""
