"""What IT's commands send and read at `/v1/admin`, besides the catalogue."""

from __future__ import annotations

from typing import Annotated

import msgspec

from sync.collector import times
from sync.collector.catalogue_messages import Id

MOST_CODES = 1000
"""Codes in one request."""
_Reason = Annotated[str, msgspec.Meta(max_length=500)]
_Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """Unknown keys are refused: a mistyped one must not be lost silently."""


class OrganisationPut(_Asked):
    """`PUT /v1/admin/organisation`."""

    id: Id
    name: dict[str, str]
    key: str
    next_keys: list[str] = []
    timezone: str = times.DEFAULT_ZONE
    targets: dict[str, float] = {}


class Placed(msgspec.Struct):
    """Where a device is meant to stand."""

    location: str
    name: str


class Published(msgspec.Struct):
    """Who published a device's newest configuration, and when."""

    by: str
    at: str


class Organisation(msgspec.Struct):
    """`GET /v1/admin/organisation`."""

    centre: str
    id: str
    key: str
    versions: dict[str, int]
    """Per device the highest version published."""
    digests: dict[str, str]
    """Per device the hex SHA-256 of its newest bundle encoded with version 0."""
    placed: dict[str, Placed]
    published: dict[str, Published]


class CodePut(_Asked):
    """`POST /v1/admin/devices/{device}/codes`."""

    code_sha256: _Sha256
    """Hex SHA-256 of the code's characters, upper case, without dashes."""
    expires_at: str = ""
    """Empty: as long as codes of this kind usually live. At most 31 days ahead."""
    replace: bool = False
    """The device has a key and is to get another: said in the audit log."""
    now: bool = False
    """With `replace`: its present keys only drain from here on, not from the new key's first
    batch."""


class DeviceCode(CodePut, kw_only=True):
    """One code of `POST /v1/admin/codes`."""

    device: Id


class Reason(_Asked):
    """Why a device is revoked or retired."""

    reason: _Reason = ""


class CorrectionPut(_Asked, rename={"since": "from", "until": "to"}):
    """`POST /v1/admin/corrections`: what a device gathered in a window counts elsewhere."""

    device: Id
    since: str
    """Local day (2026-03-02) or instant with offset; included."""
    until: str
    """Local day, included; or instant, not included."""
    location: Id
    reason: _Reason = ""
    dry_run: bool = False
    """Only say what it would touch."""


class Corrected(msgspec.Struct):
    """What a correction touches, test visits and withdrawn answers left out."""

    device: str
    id: int
    """Its number; 0 when there is none yet, after a dry run."""
    visits: int
    """Visits with an answer that counts elsewhere by it."""
    answers: int
    instead_of: list[str]
    """The locations those answers counted for before."""


class Correction(msgspec.Struct, rename={"since": "from", "until": "to"}):
    """A correction as it stands."""

    id: int
    device: str
    since: str
    until: str
    location: str
    reason: str
    by: str
    at: str
    withdrawn_by: str = ""
    withdrawn_at: str | None = None


class KeyState(msgspec.Struct):
    """One of a device's keys."""

    key: str
    state: str
    since: str


class EpochState(msgspec.Struct):
    """The centre's side of the ledger of one outbox file."""

    epoch: str
    have: int
    tail: int
    stored: int
    quarantined: int
    held: int
    lost: int
    forks: int
    conflicts: int
    new_epoch: bool
    last: str


class LedgerState(msgspec.Struct):
    """created = acknowledged + quarantined + held + lost + to_send."""

    created: int
    acknowledged: int
    quarantined: int
    held: int
    lost: int
    to_send: int


class DeviceState(msgspec.Struct):
    """One device as the centre knows and judges it."""

    id: str
    name: str
    location: str
    place: dict[str, str]
    """The location's name by language."""
    municipality: str
    state: str
    """What IT's commands and enrolment have made of it: expected, enrolled, active, retired,
    revoked."""
    standing: str
    """How it stands: `sync.collector.standing.STATES`."""
    reason: str
    version: int
    """Newest configuration published."""
    config: int
    """Configuration it says it uses."""
    config_since: str | None
    refused: list[dict[str, object]]
    program: str
    last_seen: str | None
    last_touch: str | None
    oldest_unsent: str | None
    clone_suspected: bool
    open_code_until: str | None
    ledger: LedgerState
    service: dict[str, object]
    setup: str
    status: dict[str, object]
    """Everything it said of itself last."""
    keys: list[KeyState]
    epochs: list[EpochState]


class Done(msgspec.Struct):
    """A change that was made; `version` and `id` where there is one."""

    device: str = ""
    state: str = ""
    version: int = 0
    codes: int = 0
    """How many codes were registered or cancelled."""
    id: int = 0
    """Of a correction withdrawn."""
