"""The fleet page, its files, and a page for every device."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sync.collector.reports import queries as q
from sync.collector.reports.read import snapshot
from sync.collector.reports.words import Words
from sync.collector.standing import fleet
from sync.collector.web import guard
from sync.collector.web.accounts import Session
from sync.collector.web.columns import COLUMNS, Line
from sync.collector.web.device import device_page
from sync.collector.web.fleet import FleetPage, as_csv, as_json, fleet_page
from sync.collector.web.fleet_address import FleetAddress, device_link
from sync.collector.web.guard import AnyRequest
from sync.collector.web.pages import error_page, render, to_sign_in
from sync.collector.web.times import Clock


def _read(request: AnyRequest, words: Words) -> tuple[FleetPage, Clock, str]:
    """The page asked for, its clock, and the organisation's name."""
    now = datetime.fromtimestamp(guard.now_ms(request) / 1000, UTC)
    address = FleetAddress.read(request.query_params)
    with snapshot(guard.store_of(request)) as db:
        names = q.catalogue(db)
        clock = Clock(words, ZoneInfo(names.timezone), now)
        page = fleet_page(fleet(db, now), address, words, clock.now)
    return page, clock, words.pick(names.organisation, words("product"))


@get("/devices", sync_to_thread=True)
def devices(request: Request[Any, Any, State]) -> Response[Any]:
    """Every device: where, in which state, since when, with which configuration and ledger."""
    session = guard.session_of(request)
    if session is None:
        return to_sign_in(request, FleetAddress.read(request.query_params).link())
    page, clock, organisation = _read(request, guard.words_of(request))
    guard.note(request, session.user.name, "read", view=page.address.link())
    return render(
        request,
        "devices.html",
        session=session,
        organisation=organisation,
        page=page,
        address=page.address,
        clock=clock,
        columns=tuple(COLUMNS),
    )


@get("/devices.csv", sync_to_thread=True)
def devices_csv(request: Request[Any, Any, State]) -> Response[Any]:
    """What the fleet page shows, for a spreadsheet."""
    return _export(request, "csv")


@get("/devices.json", sync_to_thread=True)
def devices_json(request: Request[Any, Any, State]) -> Response[Any]:
    """What the fleet page shows, for a program."""
    return _export(request, "json")


def _export(request: AnyRequest, form: str) -> Response[Any]:
    session = guard.session_of(request)
    if session is None:
        # To the page it belongs to: a file would leave the form standing there.
        return to_sign_in(request, FleetAddress.read(request.query_params).link())
    words = guard.words_of(request)
    page, clock, _ = _read(request, words)
    guard.note(
        request, session.user.name, "export", view=page.address.query(), by="devices", format=form
    )
    # Spreadsheets take a file without this mark for their own code page.
    body = as_json(page, clock.now) if form == "json" else "\ufeff" + as_csv(page, words)
    response: Response[Any] = Response(
        body.encode(),
        media_type="application/json" if form == "json" else "text/csv",
        headers={"Content-Disposition": f'attachment; filename="hymio-devices.{form}"'},
    )
    return guard.protected(request, response)


@get("/devices/{device:path}", sync_to_thread=True)
def one_device(request: Request[Any, Any, State]) -> Response[Any]:
    """One device: its ledger per outbox file, keys, places, what happened, and what to do."""
    session: Session | None = guard.session_of(request)
    # An id is one word as a rule; should it hold a slash, its page is found all the same.
    wanted = str(request.path_params["device"]).removeprefix("/")
    if session is None:
        return to_sign_in(request, device_link(wanted))
    words = guard.words_of(request)
    now = datetime.fromtimestamp(guard.now_ms(request) / 1000, UTC)
    with snapshot(guard.store_of(request)) as db:
        standing = next((one for one in fleet(db, now) if one.id == wanted), None)
        if standing is None:
            return error_page(request, 404, about="device")
        names = q.catalogue(db)
        clock = Clock(words, ZoneInfo(names.timezone), now)
        page = device_page(db, Line(standing, words, clock.zone, clock.now), clock)
    guard.note(request, session.user.name, "read", view=page.link)
    return render(
        request,
        "device.html",
        session=session,
        organisation=words.pick(names.organisation, words("product")),
        page=page,
        line=page.line,
        clock=clock,
    )


ROUTES: Final[list[HTTPRouteHandler]] = [devices, devices_csv, devices_json, one_device]
