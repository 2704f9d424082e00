"""The API as an OpenAPI document, made from the messages themselves."""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec

from sync.collector import admin_messages as admin
from sync.collector import catalogue_messages as catalogue
from sync.collector import devices
from sync.collector.problems import MEDIA_TYPE
from sync.contract import wire


def _shown(kind: type[msgspec.Struct], **instead: Any) -> Any:
    """A message with the types of some fields replaced: raw JSON has no schema of its own."""
    fields: list[Any] = []
    for known in msgspec.structs.fields(kind):
        name, of = known.name, instead.get(known.name, known.type)
        if known.required:
            fields.append((name, of))
        else:
            fields.append((name, of, None if name in instead else known.default))
    made = msgspec.defstruct(kind.__name__, fields)
    made.__doc__ = kind.__doc__
    return made


_Item = _shown(wire.Item, rec=object)
_Batch = _shown(wire.Batch, items=list[_Item])  # type: ignore[valid-type]
_SIGNED = (401, 400, 413, 429, 500, 503)


class _Route(msgspec.Struct):
    method: str
    path: str
    summary: str
    takes: Any = None
    gives: Any = None
    problems: tuple[int, ...] = ()
    raw: bool = False
    """The body is a signed container, exact bytes."""


ROUTES = (
    _Route(
        "post",
        "/v1/batches",
        "A run of records, or a heartbeat.",
        _Batch,
        wire.Receipt,
        (403, 408, 415, 421),
    ),
    _Route(
        "post",
        "/v1/enrol",
        "Redeem a one-time code, or release it.",
        wire.EnrolRequest,
        wire.EnrolReply,
        (403, 404, 408, 409, 410, 415),
    ),
    _Route(
        "post",
        "/v1/keys",
        "Announce the key that follows this one.",
        devices.RotateRequest,
        devices.RotateReply,
        (403, 408, 409, 415),
    ),
    _Route(
        "get",
        "/v1/config",
        "The newest signed configuration; ETag and If-None-Match.",
        None,
        None,
        (403, 404),
        raw=True,
    ),
    _Route("get", "/v1/admin/organisation", "Who the centre works for.", None, admin.Organisation),
    _Route(
        "put",
        "/v1/admin/organisation",
        "Name the organisation.",
        admin.OrganisationPut,
        admin.Done,
        (409,),
    ),
    _Route(
        "get",
        "/v1/admin/catalogue",
        "What the centre knows of locations, services, devices.",
        None,
        catalogue.Known,
    ),
    _Route(
        "put",
        "/v1/admin/catalogue",
        "Add or change the catalogue.",
        catalogue.CataloguePut,
        admin.Done,
        (409,),
    ),
    _Route(
        "get",
        "/v1/admin/devices",
        "Every device with its standing, keys and ledger.",
        None,
        list[admin.DeviceState],
    ),
    _Route(
        "get",
        "/v1/admin/devices/{device}/bundle",
        "The newest signed bundle.",
        None,
        None,
        (404,),
        raw=True,
    ),
    _Route(
        "put",
        "/v1/admin/devices/{device}/bundle",
        "Publish a signed bundle.",
        None,
        admin.Done,
        (404, 409),
        raw=True,
    ),
    _Route(
        "post",
        "/v1/admin/devices/{device}/codes",
        "Register a one-time code.",
        admin.CodePut,
        admin.Done,
        (404, 409),
    ),
    _Route(
        "delete",
        "/v1/admin/devices/{device}/codes",
        "Cancel a device's open codes.",
        None,
        admin.Done,
        (404,),
    ),
    _Route(
        "post",
        "/v1/admin/codes",
        "Register one-time codes of many devices, all or none.",
        list[admin.DeviceCode],
        admin.Done,
        (404, 409),
    ),
    _Route(
        "post",
        "/v1/admin/devices/{device}/revoke",
        "Revoke a device.",
        admin.Reason,
        admin.Done,
        (404,),
    ),
    _Route(
        "post",
        "/v1/admin/devices/{device}/retire",
        "Retire a device: it only drains.",
        admin.Reason,
        admin.Done,
        (404,),
    ),
    _Route("get", "/v1/admin/corrections", "Every correction.", None, list[admin.Correction]),
    _Route(
        "post",
        "/v1/admin/corrections",
        "Have what a device gathered in a window count elsewhere, or say what that would touch.",
        admin.CorrectionPut,
        admin.Corrected,
        (404,),
    ),
    _Route(
        "delete",
        "/v1/admin/corrections/{correction}",
        "Take a correction back.",
        None,
        admin.Done,
        (404,),
    ),
)
"""Every signed route; a test holds it against the application's."""

_HEADERS = ("Content-Digest", "Signature-Input", "Signature")
_ENCODING: dict[str, Any] = {
    "name": "Content-Encoding",
    "in": "header",
    "description": "Of the body; signed as well when present.",
    "schema": {"enum": ["gzip", "identity"]},
}
_RETRY: dict[str, Any] = {
    "Retry-After": {
        "description": "Seconds after which to come back.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_ETAG: dict[str, Any] = {"ETag": {"required": True, "schema": {"type": "string"}}}


def _hook(kind: type) -> dict[str, Any]:
    """A record or a status is any JSON value: what cannot be read is kept in quarantine."""
    if kind is object:
        return {"description": "any JSON value"}
    raise NotImplementedError(kind)


@functools.cache
def document() -> bytes:
    """The document, as JSON."""
    kinds = [k for route in ROUTES for k in (route.takes, route.gives) if k is not None]
    kinds.append(wire.Problem)
    schemas, components = msgspec.json.schema_components(
        kinds, schema_hook=_hook, ref_template="#/components/schemas/{name}"
    )
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route, schema_of)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Hymiö centre",
                "version": str(wire.VERSION),
                "description": "Requests are signed with Ed25519 (RFC 9421) over @method, @path,"
                " content-digest and, when present, content-encoding. No query strings.",
            },
            "paths": paths,
            "components": {"schemas": components},
        }
    )


def _operation(route: _Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "header", "required": True, "schema": text} for name in _HEADERS
    ]
    for name in re.findall(r"{(\w+)}", route.path):
        parameters.append({"name": name, "in": "path", "required": True, "schema": text})
    responses: dict[str, Any] = {
        str(status): {
            "description": ", ".join(c for c, s in wire.PROBLEM_CODES.items() if s == status),
            "content": {MEDIA_TYPE: {"schema": schema_of[repr(wire.Problem)]}},
        }
        for status in sorted({*_SIGNED, *route.problems})
    }
    for status in ("429", "503"):
        responses[status]["headers"] = _RETRY
    given = schema_of[repr(route.gives)] if route.gives is not None else {"type": "object"}
    responses["200"] = {
        "description": "Done.",
        "content": {"application/json": {"schema": given}},
    }
    if route.method == "get" and route.path == "/v1/config":
        responses["304"] = {"description": "The caller has the newest.", "headers": _ETAG}
        responses["200"]["headers"] = _ETAG
        parameters.append({"name": "If-None-Match", "in": "header", "schema": text})
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.method
        + "".join(part.strip("{}").title() for part in route.path.split("/") if part),
        "parameters": parameters,
        "responses": responses,
    }
    if route.takes is not None or (route.raw and route.method == "put"):
        parameters.append(_ENCODING)
        body = schema_of[repr(route.takes)] if route.takes is not None else {"type": "object"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation
