"""What the centre counts of itself, for Prometheus; nothing by device."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One registry per application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hymio_requests",
            "Answers by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.records = Counter(
            "hymio_records", "Records by what became of them", ["verdict"], registry=self.registry
        )
        self.ingest_seconds = Histogram(
            "hymio_ingest_seconds",
            "Time to take in one batch, its commit included",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.waiting = Gauge(
            "hymio_requests_waiting", "Requests at work or waiting", registry=self.registry
        )

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)
