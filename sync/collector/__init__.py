"""The central endpoint: batches in, numbers out."""
