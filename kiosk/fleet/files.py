"""The shape of each file under device-config/; the docstrings become the schema's descriptions."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.contract.bundle import (
    Endpoint,
    ScaleName,
    Screen,
    Speech,
    Storage,
    Timing,
    Touch,
)

PerLanguage = dict[str, str]
SLUG = "^[a-z0-9]+(-[a-z0-9]+)*$"
_OPAQUE = "^[0-9]{4,6}$"
_COLOUR = "^#[0-9A-Fa-f]{6}$"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
PATTERNS = {
    SLUG: 'small letters, digits and single hyphens, such as "esim-0074"',
    _OPAQUE: 'four to six digits in quotes, such as "0031"',
    _COLOUR: '# and six hexadecimal digits in quotes, such as "#0B5563"',
    _DAY: 'a day in quotes, such as "2026-03-31"',
}
"""What each pattern means, for people."""
LocationId = Annotated[str, msgspec.Meta(pattern=_OPAQUE)]
Slug = Annotated[str, msgspec.Meta(pattern=SLUG, max_length=40)]
Day = Annotated[str, msgspec.Meta(pattern=_DAY)]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Unknown keys are errors: a mistyped setting must never be silently ignored."""


class Settings(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What organisation, location and device may each set; the later one wins."""

    languages: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("fi", "sv", "en")
    """Languages in the order shown; the first is the resting language."""
    survey: str = ""
    """Id of a file in surveys/."""
    contact: PerLanguage = {}
    """By language: the feedback office an anonymous respondent can turn to."""
    changed: PerLanguage = {}
    """By language: one line of what feedback changed here, for the thank-you screen."""
    changed_until: str = ""
    """Last day (YYYY-MM-DD) `changed` is shown; empty: always."""
    screen: Screen = msgspec.field(default_factory=Screen)
    """The panel; every size on the screen is computed from its millimetres."""
    touch: Touch = msgspec.field(default_factory=Touch)
    """How a finger is read."""
    timing: Timing = msgspec.field(default_factory=Timing)
    """Seconds and milliseconds of a visit."""
    speech: Speech = msgspec.field(default_factory=Speech)
    """How the terminal speaks, where the device has a voice."""
    endpoint: Endpoint = msgspec.field(default_factory=Endpoint)
    """Where the device sends."""
    storage: Storage = msgspec.field(default_factory=Storage)
    """Bounds of the outbox on the device."""
    pin_hash: str = ""
    """Hash of the service screen's PIN; empty: the screen opens nothing beyond the status."""
    leave_allowed: bool = False
    """Whether the service screen may leave to the system."""


class Targets(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the organisation aims at; reports draw it."""

    nps: Annotated[int, msgspec.Meta(ge=-100, le=100)] = 80
    """Net promoter score, -100 to 100."""
    fully_agree_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] = 80
    """Share of "fully agree" per statement, per cent."""


class OrganisationFile(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """organisation.toml: the organisation, and the settings every device starts from."""

    id: Slug
    """Short name for files and keys, lower case."""
    name: PerLanguage
    """The organisation's name by language."""
    name_languages: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("fi", "sv", "en")
    """Languages in which names of places and services must be written; others show English."""
    timezone: str = "Europe/Helsinki"
    """IANA time zone of every location that names no other."""
    accent: Annotated[str, msgspec.Meta(pattern=_COLOUR)] = "#0B5563"
    """Brand colour; contrast 4.5 on #F4F2ED and under white."""
    privacy: PerLanguage = {}
    """The privacy notice by language, paragraphs divided by an empty line; no table: the
    program's own notice."""
    privacy_version: str
    """Stored with each answer: raise it when the notice changes."""
    device_prefix: Slug = ""
    """What new devices' ids begin with: `<prefix>-0001`; none: the organisation's id."""
    municipalities: tuple[str, ...] = ()
    """Every municipality a place can lie in, so that one mistyped is noticed; none: any."""
    locked: tuple[str, ...] = ()
    """Settings no location or device may change: `endpoint`, `storage.keep_days` ..."""
    targets: Targets = msgspec.field(default_factory=Targets)
    """What the organisation aims at."""


class LocationWas(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was different about a place until a day; reports of older answers go by it."""

    until: Day
    """Last day (YYYY-MM-DD) it held."""
    name: PerLanguage = {}
    """The former name by language."""
    municipality: str = ""
    """The former municipality."""


class LocationFile(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """locations/<id>.toml: a place where devices stand, and what differs there."""

    id: LocationId
    """Opaque, four digits or more, never reused; the file's name."""
    name: PerLanguage
    """The place's name by language."""
    municipality: Annotated[str, msgspec.Meta(min_length=1)]
    """Municipality the place lies in."""
    timezone: str = ""
    """IANA time zone; empty: the organisation's."""
    services: tuple[str, ...] = ()
    """Ids from services.toml given here; one alone makes it every visit's; none: all."""
    hours: dict[str, str] = {}
    """mon .. sun -> 08:00-16:00, or 08:00-12:00,13:00-16:00, or empty for closed; no table:
    always open."""
    was: tuple[LocationWas, ...] = ()
    """Former names and municipalities, oldest first, one [[was]] each."""


class DeviceWas(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was different about a terminal until a day; answers keep the place they came from."""

    until: Day
    """Last day (YYYY-MM-DD) it held."""
    location: str = ""
    """Id of the place it stood at."""
    name: str = ""
    """Where in the place it stood."""


class DeviceFile(Settings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """devices/<id>.toml: one terminal, and what differs there."""

    id: Slug
    """Opaque, never reused, never a place's name; the file's name."""
    location: str
    """Id of a file in locations/."""
    name: Annotated[str, msgspec.Meta(min_length=1)]
    """Where in the place it stands, for people."""
    key_generation: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The device makes itself a new key whenever this rises."""
    wipe: bool = False
    """Take no more answers, send everything, then erase the device's data."""
    retired: Day = ""
    """The day (YYYY-MM-DD) it went out of use: not published any more, and its id stays taken."""
    was: tuple[DeviceWas, ...] = ()
    """Former places and names, oldest first, one [[was]] each."""


class ServiceWas(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a service was called until a day."""

    until: Day
    """Last day (YYYY-MM-DD) it held."""
    name: PerLanguage
    """The former name by language."""


class ServiceEntry(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One service a respondent can choose."""

    id: Slug
    """Never reused; a new name keeps its id."""
    name: PerLanguage
    """Name by language."""
    short_name: PerLanguage = {}
    """By language, for buttons the full name does not fit on."""
    group: str = ""
    """One of [groups]; shown first where there are more than fourteen services."""
    since: Day = msgspec.field(default="", name="from")
    """First day (YYYY-MM-DD) it is offered; empty: always."""
    until: Day = ""
    """Last day (YYYY-MM-DD) it is offered; empty: no end."""
    merged_into: str = ""
    """Id of the service that takes its place after `until`."""
    was: tuple[ServiceWas, ...] = ()
    """Former names, oldest first, one [[service.was]] each."""


class ServicesFile(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """services.toml: the services a respondent can choose."""

    groups: dict[str, PerLanguage] = {}
    """Group id -> its name by language."""
    service: tuple[ServiceEntry, ...] = ()
    """The services, one [[service]] each."""


class SurveyFile(_File, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """surveys/<id>.toml: what is asked, in order: 0-10, choice lists, statements, open text."""

    id: Slug
    """The file's name."""
    version: Annotated[int, msgspec.Meta(ge=1)]
    """Raise it whenever a question or its wording changes."""
    statements: tuple[str, ...] = ()
    """Ids from the statement bank, or of [own]."""
    count: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    """Statements asked per visit, at most five."""
    selection: Literal["fixed", "rotated"] = "fixed"
    """fixed: the first `count`, in order; rotated: the ones least asked on the device."""
    scale: ScaleName = "agree5"
    """The faces' words: agree5, satisfied5, or satisfied3 (values 1, 3, 5)."""
    satisfied: bool = False
    """Ask the satisfaction question on faces, before the statements."""
    ask_service: bool = False
    """Ask which service the feedback is about, after the 0-10 question."""
    ask_respondent: bool = False
    """Ask for whom the respondent answers."""
    ask_comment: bool = True
    """Offer open text."""
    phone_url: str = ""
    """Where the offer screen's QR code leads; empty: no code."""
    own: PerLanguage = {}
    """Statements outside the bank: id -> theme; their wording stands in [texts.<language>]."""
    texts: dict[str, PerLanguage] = {}
    """language -> key -> wording that replaces the program's own."""
