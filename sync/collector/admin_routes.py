"""The routes of IT's commands, signed by operator keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, Response, get, post, put
from litestar.datastructures import State as AppState
from litestar.handlers import HTTPRouteHandler

from sync.collector.admin import CodePut, OrganisationPut, Reason
from sync.collector.catalogue import CataloguePut
from sync.collector.gate import AnyRequest, Reply
from sync.collector.reading import RefusedError, decode
from sync.collector.store import Tx

if TYPE_CHECKING:
    from sync.collector.app import Centre

MAX_BYTES: Final = 8 << 20
"""Of a catalogue or a bundle: every text in every language."""


async def _operated(
    request: AnyRequest, work: Callable[[Centre, str, Callable[[], bytes]], object]
) -> Response[bytes]:
    """Do `work(centre, operator, body)` for an operator whose signature holds."""
    centre: Centre = request.app.state.centre

    def signed(raw: bytes) -> Reply:
        found = centre.gate.verify(
            request, raw, lambda tx, key: bool(centre.admin.operator(tx, key))
        )
        with centre.store.read() as connection:
            who = centre.admin.operator(Tx(connection), found.key)
        if not who:
            raise RefusedError("unknown_key", "no such operator")
        return Reply.of(work(centre, who, found.plain))

    async with centre.gate.large:
        raw = await centre.gate.body(request, MAX_BYTES)
        return await centre.gate.run("admin", lambda: signed(raw), bounded=False)


def _device(request: AnyRequest) -> str:
    device = str(request.path_params["device"])
    if "\0" in device:
        raise RefusedError("not_found", "no device has such a name")
    return device


@get("/v1/admin/organisation")
async def get_organisation(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Who this centre works for, and the versions published."""
    return await _operated(request, lambda centre, _who, _body: centre.admin.organisation())


@put("/v1/admin/organisation", status_code=200)
async def put_organisation(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Name the organisation and its keys."""
    return await _operated(
        request,
        lambda centre, who, body: centre.admin.put_organisation(
            who, decode(body(), OrganisationPut)
        ),
    )


@put("/v1/admin/catalogue", status_code=200)
async def put_catalogue(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Add or change locations, services, surveys, devices."""
    return await _operated(
        request,
        lambda centre, who, body: centre.admin.put_catalogue(who, decode(body(), CataloguePut)),
    )


@get("/v1/admin/devices")
async def get_devices(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Every device with its keys and ledger."""
    return await _operated(request, lambda centre, _who, _body: centre.admin.devices())


@put("/v1/admin/devices/{device:str}/bundle", status_code=200)
async def put_bundle(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Publish a signed bundle."""
    return await _operated(
        request, lambda centre, who, body: centre.admin.put_bundle(who, _device(request), body())
    )


@post("/v1/admin/devices/{device:str}/codes", status_code=200)
async def add_code(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Register a one-time code."""
    return await _operated(
        request,
        lambda centre, who, body: centre.admin.add_code(
            who, _device(request), decode(body(), CodePut)
        ),
    )


@post("/v1/admin/devices/{device:str}/revoke", status_code=200)
async def revoke(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Revoke a device."""
    return await _operated(
        request,
        lambda centre, who, body: centre.admin.revoke(
            who, _device(request), decode(body() or b"{}", Reason)
        ),
    )


@post("/v1/admin/devices/{device:str}/retire", status_code=200)
async def retire(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Retire a device: it only drains from here on."""
    return await _operated(
        request,
        lambda centre, who, body: centre.admin.retire(
            who, _device(request), decode(body() or b"{}", Reason)
        ),
    )


ROUTES: Final[list[HTTPRouteHandler]] = [
    get_organisation,
    put_organisation,
    put_catalogue,
    get_devices,
    put_bundle,
    add_code,
    revoke,
    retire,
]
