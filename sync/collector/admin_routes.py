"""The routes of IT's commands, signed by operator keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State as AppState
from litestar.handlers import HTTPRouteHandler

from sync.collector.admin_messages import (
    CodePut,
    CorrectionPut,
    DeviceCode,
    OrganisationPut,
    Reason,
)
from sync.collector.catalogue_messages import CataloguePut
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
        done = work(centre, who, found.plain)
        return done if isinstance(done, Reply) else Reply.of(done)

    async with centre.gate.large:
        raw = await centre.gate.body(request, MAX_BYTES)
        return await centre.gate.run("admin", lambda: signed(raw), bounded=False)


def _device(request: AnyRequest) -> str:
    device = str(request.path_params["device"])
    if "\0" in device:
        raise RefusedError("not_found", "no device has such a name")
    return device


def _number(request: AnyRequest) -> int:
    text = str(request.path_params["correction"])
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise RefusedError("not_found", "no correction has such a number")
    return int(text)


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


@get("/v1/admin/catalogue")
async def get_catalogue(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Locations, services and devices as they were put."""
    return await _operated(request, lambda centre, _who, _body: centre.admin.catalogue())


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


@get("/v1/admin/devices/{device:str}/bundle")
async def get_bundle(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """The newest signed bundle, exact bytes."""
    return await _operated(
        request, lambda centre, _who, _body: Reply(centre.admin.bundle(_device(request)))
    )


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
        lambda centre, who, body: centre.codes.add(who, _device(request), decode(body(), CodePut)),
    )


@delete("/v1/admin/devices/{device:str}/codes", status_code=200)
async def cancel_codes(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Cancel a device's open codes."""
    return await _operated(
        request, lambda centre, who, _body: centre.codes.cancel(who, _device(request))
    )


@post("/v1/admin/codes", status_code=200)
async def add_codes(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Register one-time codes of many devices, all or none."""
    return await _operated(
        request,
        lambda centre, who, body: centre.codes.add_many(who, decode(body(), list[DeviceCode])),
    )


@post("/v1/admin/devices/{device:str}/revoke", status_code=200)
async def revoke(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Revoke a device."""
    return await _operated(
        request,
        lambda centre, who, body: centre.codes.revoke(
            who, _device(request), decode(body() or b"{}", Reason)
        ),
    )


@post("/v1/admin/devices/{device:str}/retire", status_code=200)
async def retire(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Retire a device: it only drains from here on."""
    return await _operated(
        request,
        lambda centre, who, body: centre.codes.retire(
            who, _device(request), decode(body() or b"{}", Reason)
        ),
    )


@get("/v1/admin/corrections")
async def get_corrections(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Every correction, withdrawn ones too."""
    return await _operated(request, lambda centre, _who, _body: centre.corrections.listed())


@post("/v1/admin/corrections", status_code=200)
async def add_correction(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Have what a device gathered in a window count elsewhere."""
    return await _operated(
        request,
        lambda centre, who, body: centre.corrections.add(who, decode(body(), CorrectionPut)),
    )


@delete("/v1/admin/corrections/{correction:str}", status_code=200)
async def withdraw_correction(request: Request[Any, Any, AppState]) -> Response[bytes]:
    """Take a correction back."""
    return await _operated(
        request,
        lambda centre, who, _body: centre.corrections.withdraw(who, _number(request)),
    )


ROUTES: Final[list[HTTPRouteHandler]] = [
    get_organisation,
    put_organisation,
    get_catalogue,
    put_catalogue,
    get_devices,
    get_bundle,
    put_bundle,
    add_code,
    cancel_codes,
    add_codes,
    revoke,
    retire,
    get_corrections,
    add_correction,
    withdraw_correction,
]
