"""The catalogue as IT's commands send it and read it back."""

from __future__ import annotations

from typing import Annotated

import msgspec

from sync.collector.times import DEFAULT_ZONE

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
DayOrNone = Annotated[str, msgspec.Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    """Unknown keys are refused: a mistyped one must not be lost silently."""


class LocationWas(_Message, forbid_unknown_fields=True, omit_defaults=True):
    """What a location was up to a day; what is left out was as it is later."""

    until: Day
    name: dict[str, str] | None = None
    municipality: str | None = None


class LocationPut(_Message, forbid_unknown_fields=True):
    """One location."""

    id: Id
    name: dict[str, str]
    municipality: str = ""
    timezone: str = DEFAULT_ZONE
    services: list[str] = []
    hours: dict[str, str] = {}
    """`mon` .. `sun` -> `08:00-16:00,17:00-19:00`, empty for closed; {}: always open."""
    history: list[LocationWas] = []


class ServiceWas(_Message, forbid_unknown_fields=True):
    """What a service was called up to a day."""

    until: Day
    name: dict[str, str]


class ServicePut(_Message, forbid_unknown_fields=True):
    """One service."""

    id: Id
    name: dict[str, str]
    group: str = ""
    short_name: dict[str, str] = {}
    since: DayOrNone = ""
    """First day it is given; empty: always."""
    until: DayOrNone = ""
    """Last day it is given; empty: no end."""
    merged_into: str = ""
    """The service that goes on with it after `until`, and whose figures its answers are."""
    history: list[ServiceWas] = []


class StatementPut(_Message, forbid_unknown_fields=True):
    """One statement of a survey."""

    id: Id
    theme: str = ""


class SurveyPut(_Message, forbid_unknown_fields=True):
    """One version of a survey; a known `ref` can gain languages, never other words."""

    ref: Id
    scale: str = ""
    texts: dict[str, dict[str, str]] = {}
    statements: list[StatementPut] = []


class DeviceWas(_Message, forbid_unknown_fields=True):
    """Where a device was meant to stand up to a day."""

    until: Day
    location: str
    name: str = ""


class DevicePut(_Message, forbid_unknown_fields=True):
    """One device, where it is meant to stand."""

    id: Id
    name: str = ""
    location: str = ""
    history: list[DeviceWas] = []


class CataloguePut(_Message, forbid_unknown_fields=True):
    """`PUT /v1/admin/catalogue`: what is named is added or changed, the rest stays."""

    locations: list[LocationPut] = []
    services: list[ServicePut] = []
    surveys: list[SurveyPut] = []
    devices: list[DevicePut] = []


class Known(msgspec.Struct):
    """`GET /v1/admin/catalogue`: what the centre knows, in the shape it was put."""

    locations: list[LocationPut]
    services: list[ServicePut]
    devices: list[DevicePut]
