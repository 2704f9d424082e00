"""From the tap to the centre: outbox, sender, and the central endpoint."""
