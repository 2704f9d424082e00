"""A small county with a year of answers, for pages to show."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sync.collector.store import Store
from sync.collector.store import tables as t

NOW: Final = datetime(2025, 11, 19, 12, 30, tzinfo=UTC)
PLACES: Final = (
    ("tuusula", "Tuusulan terveysasema", "Tusby hälsostation", "Tuusula", 0.86),
    ("jarvenpaa", "JUST, Järvenpään sosiaali- ja terveyskeskus", "JUST", "Järvenpää", 0.74),
    ("hyvinkaa", "Hyvinkään hammashoitola", "Hyvinge tandklinik", "Hyvinkää", 0.9),
    ("kerava", "Keravan terveyskeskus", "Kervo hälsocentral", "Kerava", 0.79),
    ("mantsala", "Mäntsälän hyvinvointikeskus", "Mäntsälä välfärdscentral", "Mäntsälä", 0.84),
    ("pornainen", "Pornaisten terveysasema", "Borgnäs hälsostation", "Pornainen", 0.93),
)
SERVICES: Final = (
    ("terveysasema", "Terveysasemat", "Hälsostationer", "Health centres"),
    ("suu", "Suun terveydenhuolto", "Mun- och tandvård", "Oral health care"),
    ("mielenterveys", "Mielenterveys- ja päihdepalvelut", "Mental- och beroendevård",
     "Mental health and substance abuse services"),
)  # fmt: skip
STATEMENTS: Final = {
    "s05": ("encounter", "Henkilökunta kohteli minua hyvin", "Personalen bemötte mig väl",
            "The staff treated me well"),
    "s06": ("encounter", "Koin, että minua kuunneltiin", "Jag upplevde att man lyssnade på mig",
            "I felt that I was listened to"),
    "s07": ("encounter", "Koin, että mielipiteeni huomioitiin ratkaisuja tehtäessä",
            "Jag upplevde att mina åsikter beaktades när beslut fattades",
            "I felt that my opinion was taken into account when decisions were made"),
    "s09": ("information", "Saamani tieto hoidosta/palvelusta oli ymmärrettävää",
            "Informationen som jag fick om vården/servicen var förståelig",
            "The information I received about the care or service was easy to understand"),
    "s15": ("access", "Ajan varaaminen oli joustavaa ja nopeaa",
            "Tidsbokningen var flexibel och snabb",
            "Booking an appointment was flexible and quick"),
}  # fmt: skip
NPS_TEXT: Final = {
    "fi": "Kuinka todennäköisesti suosittelisit saamaasi hoitoa/palvelua läheisellesi?",
    "sv": "Hur sannolikt är det att du skulle rekommendera den vård/service du fick till en"
    " närstående?",
    "en": "How likely would you be to recommend the care or service you received to a family"
    " member or friend?",
}


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _catalogue() -> dict[Any, list[dict[str, Any]]]:
    texts = [{"survey": "county@1", "language": language, "question": "nps", "text": text}
             for language, text in NPS_TEXT.items()]  # fmt: skip
    for key, (_, *wording) in STATEMENTS.items():
        texts += [
            {"survey": "county@1", "language": language, "question": key, "text": text}
            for language, text in zip(("fi", "sv", "en"), wording, strict=True)
        ]
    return {
        t.organisation: [
            {
                "id": "esimerkki",
                "name": {"fi": "Esimerkin hyvinvointialue", "sv": "Exempels välfärdsområde",
                         "en": "Example wellbeing services county"},
                "key": "",
                "next_keys": [],
                "targets": {"nps": 80, "fully_agree_pct": 80},
            }
        ],
        t.locations: [
            {"id": key, "name": {"fi": fi, "sv": sv}, "municipality": town, "services": []}
            for key, fi, sv, town, _ in PLACES
        ]
        + [{"id": "nurmijarvi", "name": {"fi": "Nurmijärven terveysasema"},
            "municipality": "Nurmijärvi", "services": []}],
        t.services: [
            {"id": key, "name": {"fi": fi, "sv": sv, "en": en}} for key, fi, sv, en in SERVICES
        ],
        t.surveys: [
            {
                "ref": "county@1",
                "scale": "agree5",
                "statements": [{"id": k, "theme": v[0]} for k, v in STATEMENTS.items()],
            }
        ],
        t.survey_texts: texts,
    }  # fmt: skip


def _devices() -> dict[Any, list[dict[str, Any]]]:
    devices, epochs = [], []
    for number, (key, fi, *_) in enumerate(PLACES):
        for side in range(2 if number < 3 else 1):
            seen = NOW - timedelta(minutes=2 + number)
            status: dict[str, Any] = {"config": 4}
            have, tail, extra = 2000 + 311 * number, 2000 + 311 * number, {}
            if number == 4:
                seen, tail = NOW - timedelta(days=3, hours=4), tail + 17
                status["oldest_unsent"] = "2025-11-16T08:30:00+02:00"
            if number == 1 and side:
                extra = {"quarantined": 1, "held": 1}
            ident = f"{key}-{side + 1}"
            hall = ("aula", "neuvonta")[side]
            devices.append(
                {"id": ident, "name": f"{fi.split(',')[0].split(' ')[0]}, {hall}", "location": key,
                 "state": "active", "last_seen_ms": _ms(seen), "status": json.dumps(status),
                 "version": 4}
            )  # fmt: skip
            epochs.append(
                {"device": ident, "epoch": f"e-{ident}", "have": have, "tail": tail, "top": have,
                 "stored": have, **{"quarantined": 0, "held": 0, **extra}}
            )  # fmt: skip
    devices.append(
        {"id": "nurmijarvi-1", "name": "Nurmijärvi, aula", "location": "nurmijarvi",
         "state": "expected", "last_seen_ms": None, "status": "", "version": 1}
    )  # fmt: skip
    return {t.devices: devices, t.epochs: epochs}


def _counts(chance: random.Random) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], int] = {}
    first, last = date(2024, 10, 1), NOW.date()
    for number, (key, _, _, town, level) in enumerate(PLACES):
        day = first
        while day <= last:
            season = 0.04 * ((day.month + number) % 4 - 1.5) / 1.5
            for visit in range(chance.randrange(0, 6) if day.weekday() < 5 else 0):
                device = f"{key}-{1 + (visit % 2 if number < 3 else 0)}"
                service = ("", "terveysasema", "suu", "mielenterveys")[
                    chance.choices((0, 1, 2, 3), (1, 6, 3 if number != 5 else 0, 1))[0]
                ]
                drop = 0.12 if service == "mielenterveys" else 0.0
                happy = chance.random() < level + season - drop
                value = (
                    chance.choice((9, 10, 10, 10))
                    if happy
                    else chance.choice((8, 8, 7, 7, 6, 5, 3, 0))
                )
                base = (day.isoformat(), device, key, town, service)
                rows = [("nps", value)]
                for order, statement in enumerate(chance.sample(sorted(STATEMENTS), 3)):
                    shift = 0.16 if statement == "s15" else 0.05 * order
                    face = (
                        5 if chance.random() < level - shift else chance.choice((4, 4, 4, 3, 2, 1))
                    )
                    rows.append((statement, face))
                for question, one in rows:
                    found[(*base, question, one)] = found.get((*base, question, one), 0) + 1
            day += timedelta(days=1)
    return [
        {"day": day, "device": device, "location": place, "municipality": town, "service": service,
         "question": question, "value": value, "n": n, "channel": "terminal", "survey": "county@1",
         "language": "fi", "layout": "1x11", "mode": "", "flagged": False, "test": False}
        for (day, device, place, town, service, question, value), n in found.items()
    ]  # fmt: skip


def furnish(store: Store, *, answers: bool = True) -> None:
    """Fill a fresh centre."""
    filled = {**_catalogue(), **_devices()}
    if answers:
        filled[t.daily_counts] = _counts(random.Random(7))
    with store.begin() as db:
        for table, rows in filled.items():
            db.execute(table.insert(), rows)
