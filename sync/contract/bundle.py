"""The resolved configuration of one device, and the signed container it travels in.

Frozen and handed down by constructor: one bundle per visit. `pack` and `unpack` deal with the
container: the exact payload bytes, signed by the organisation's Ed25519 key.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sync.contract import wire

LANGUAGES = ("fi", "sv", "en", "et", "ru", "uk", "ar")
ScaleName = Literal["agree5", "satisfied5", "satisfied3"]
Positive = Annotated[float, msgspec.Meta(gt=0)]


class BundleError(Exception):
    """A configuration container that is damaged, for another device, or not signed by us."""


class _Frozen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are errors: a mistyped setting must never be silently ignored."""


class Screen(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The panel: every size on the screen is computed from these, never from a reported DPI."""

    width_px: Annotated[int, msgspec.Meta(ge=320, le=8192)] = 1280
    height_px: Annotated[int, msgspec.Meta(ge=320, le=8192)] = 800
    width_mm: Positive = 217.0
    height_mm: float = 0.0
    """0: from the pixel shape."""
    distance_mm: float = 0.0
    """Viewing distance; 0: by the panel: 450 below 12", 600 from 15" on, evenly between."""
    top_mm_above_floor: float = 0.0
    """Top edge of the glass; above 1100 the mode Low is offered."""


class Touch(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a finger is read."""

    slop_mm: Annotated[float, msgspec.Meta(ge=0, le=10)] = 4.0
    quiet_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 300
    key_repeat_ms: Annotated[int, msgspec.Meta(ge=0, le=2000)] = 120


class Timing(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Seconds and milliseconds of a visit."""

    idle_s: Annotated[float, msgspec.Meta(ge=5)] = 25.0
    idle_text_s: Annotated[float, msgspec.Meta(ge=10)] = 60.0
    countdown_s: Annotated[float, msgspec.Meta(ge=20)] = 20.0
    """WCAG 2.2.1 allows no less than 20 s."""
    thanks_s: Annotated[float, msgspec.Meta(ge=1)] = 6.0
    hold_ms: Annotated[int, msgspec.Meta(ge=0, le=2000)] = 250


class Speech(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the terminal speaks, where the device has a voice."""

    enabled: bool = True
    """Whether speech is offered at all."""
    loudspeaker: bool = True
    """Whether the loudspeaker may speak; false: headphones alone."""
    volume: Annotated[int, msgspec.Meta(ge=10, le=100)] = 60
    """Per cent at the start of each visit."""
    rate_wpm: Annotated[int, msgspec.Meta(ge=80, le=300)] = 150
    """Words per minute."""


class Statement(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One smiley statement; its wording is `texts[language]["statement.<id>"]`."""

    id: str
    theme: str = ""


class Survey(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is asked, in order: 0-10, choice lists, statements, open text."""

    id: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    statements: tuple[Statement, ...] = ()
    count: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    """Statements asked per visit."""
    selection: Literal["fixed", "rotated"] = "fixed"
    scale: ScaleName = "agree5"
    satisfied: bool = False
    """Ask the satisfaction question on faces, before the statements."""
    ask_service: bool = False
    ask_respondent: bool = False
    ask_comment: bool = True
    phone_url: str = ""
    """Where the offer screen's QR code leads; none when empty."""

    @property
    def ref(self) -> str:
        """`id@version`, as answers carry it."""
        return f"{self.id}@{self.version}"


class Service(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One service a respondent can choose; names by language."""

    id: str
    name: dict[str, str]
    short_name: dict[str, str] = {}
    group: str = ""


class Location(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the device stands."""

    id: str
    name: dict[str, str]
    municipality: str
    timezone: str = "Europe/Helsinki"
    services: tuple[str, ...] = ()
    """Ids of the services given here; exactly one makes it every visit's service."""
    hours: dict[str, str] = {}
    """`mon` .. `sun` -> `08:00-16:00`, `08:00-12:00,13:00-16:00`, or empty for closed."""


class Organisation(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The organisation, as the screen shows it."""

    id: str
    name: dict[str, str]
    accent: Annotated[str, msgspec.Meta(pattern="^#[0-9A-Fa-f]{6}$")] = "#0B5563"
    contact: dict[str, str] = {}
    """By language: the feedback office an anonymous respondent can turn to."""
    privacy: dict[str, str] = {}
    """By language: the privacy notice."""
    privacy_version: str = "1"
    changed: dict[str, str] = {}
    """By language: one line of what feedback changed here."""
    changed_until: str = ""
    """Last day (ISO) `changed` is shown; empty: always."""


class Endpoint(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the sender sends."""

    url: str = ""
    proxy: str = ""
    ca_file: str = ""
    centre: str = ""
    """Id of the centre expected there; empty: the one the device enrolled at."""


class Storage(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds of the outbox."""

    max_mb: Annotated[int, msgspec.Meta(ge=1)] = 512
    keep_days: Annotated[int, msgspec.Meta(ge=1)] = 30
    ballast_mb: Annotated[int, msgspec.Meta(ge=0)] = 4


class Bundle(_Frozen, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything one terminal needs to know."""

    v: Literal[1] = 1
    device: str
    version: Annotated[int, msgspec.Meta(ge=0)] = 0
    """0: read from files on this machine, not published."""
    name: str = ""
    organisation: Organisation
    location: Location
    languages: tuple[str, ...] = ("fi", "sv", "en")
    """In the order shown; the first is the resting language."""
    survey: Survey
    services: tuple[Service, ...] = ()
    texts: dict[str, dict[str, str]]
    """language -> key -> wording; complete for every language listed."""
    screen: Screen = msgspec.field(default_factory=Screen)
    touch: Touch = msgspec.field(default_factory=Touch)
    timing: Timing = msgspec.field(default_factory=Timing)
    speech: Speech = msgspec.field(default_factory=Speech)
    endpoint: Endpoint = msgspec.field(default_factory=Endpoint)
    storage: Storage = msgspec.field(default_factory=Storage)
    pin_hash: str = ""
    """scrypt hash of the service screen's PIN; empty: it opens nothing beyond the status."""
    leave_allowed: bool = False
    next_keys: tuple[str, ...] = ()
    """Base64 public keys the organisation may sign the following bundles with."""
    key_generation: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The device makes a new key of its own whenever this rises."""
    wipe: bool = False
    """Take no more answers, send everything, then erase the data directory."""

    def text(self, language: str, key: str) -> str:
        """The wording of `key`, in the resting language where `language` has none.

        Raises KeyError when neither has it: validation has let a hole through.
        """
        found = self.texts.get(language, {}).get(key)
        return self.texts[self.languages[0]][key] if found is None else found


class _Container(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    key: str
    payload: str
    signature: str


def key_text(key: Ed25519PublicKey) -> str:
    """A public key as base64 of its 32 raw bytes."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def read_key(text: str) -> Ed25519PublicKey:
    """The public key behind `key_text`. Raises BundleError."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise BundleError(f"not a public key: {error}") from None


def fingerprint(key: str) -> str:
    """First 16 hex digits of the SHA-256 of a public key, in groups of four, for people."""
    try:
        raw = base64.b64decode(key, validate=True)
    except ValueError as error:
        raise BundleError(f"not a public key: {error}") from None
    text = hashlib.sha256(raw).hexdigest()[:16].upper()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def pack(bundle: Bundle, key: Ed25519PrivateKey) -> bytes:
    """Sign a bundle; the container holds the exact bytes signed."""
    payload = msgspec.json.encode(bundle)
    return msgspec.json.encode(
        _Container(
            v=1,
            key=key_text(key.public_key()),
            payload=base64.b64encode(payload).decode(),
            signature=base64.b64encode(key.sign(payload)).decode(),
        )
    )


def unpack(raw: bytes, *, trusted: tuple[str, ...], device: str = "") -> Bundle:
    """Verify a container against the trusted keys and read the bundle in it.

    Raises BundleError with a sentence for people: damaged, unknown key, wrong signature, for
    another device, or a shape this program does not know.
    """
    try:
        box = msgspec.json.decode(raw, type=_Container)
        payload = base64.b64decode(box.payload, validate=True)
        signature = base64.b64decode(box.signature, validate=True)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"the configuration file is damaged: {error}") from None
    if box.key not in trusted:
        raise BundleError("the configuration is signed by a key this device does not trust")
    try:
        read_key(box.key).verify(signature, payload)
    except InvalidSignature:
        raise BundleError("the configuration's signature does not fit its content") from None
    bundle = decode(payload)
    if device and bundle.device != device:
        raise BundleError(f"the configuration is for {bundle.device}, this is {device}")
    return bundle


def decode(payload: bytes) -> Bundle:
    """Read a bundle's JSON. Raises BundleError naming the key that does not fit."""
    try:
        return msgspec.json.decode(payload, type=Bundle)
    except wire.UNREADABLE as error:
        raise BundleError(f"the configuration does not fit this program: {error}") from None


def as_json(value: Any) -> bytes:
    """Any of these structures as JSON bytes."""
    return msgspec.json.encode(value)
