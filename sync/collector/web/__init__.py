"""The pages people read: sign-in, one dashboard, exports. No script, nothing from elsewhere."""

from __future__ import annotations

from litestar import Router

from sync.collector.web.accounts import AccountError, add_user
from sync.collector.web.pages import ROUTES, failed

__all__ = ["AccountError", "add_user", "routes"]


def routes() -> list[Router]:
    """The handlers of the pages, for the centre's application."""
    return [Router("/", route_handlers=ROUTES, exception_handlers={Exception: failed})]
