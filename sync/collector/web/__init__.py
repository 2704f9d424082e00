"""The pages people read: sign-in, dashboard, devices. No script, nothing from elsewhere."""

from __future__ import annotations

from litestar import Router

from sync.collector.web import fleet_pages, pages
from sync.collector.web.accounts import AccountError, add_user

__all__ = ["AccountError", "add_user", "routes"]


def routes() -> list[Router]:
    """The handlers of the pages, for the centre's application."""
    handlers = [*pages.ROUTES, *fleet_pages.ROUTES]
    return [Router("/", route_handlers=handlers, exception_handlers={Exception: pages.failed})]
