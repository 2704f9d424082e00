"""The fleet page as seen from the wire: who gets in, what is shown, and that files agree."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from sync.collector.reports.words import LANGUAGES, Words
from sync.collector.standing import STATES as ALL_STATES
from sync.collector.store import tables as t
from sync.collector.web.columns import COLUMNS
from sync.collector.web.fleet_address import FleetAddress
from sync.collector.web.guard import HEADERS
from sync.collector.web.health import LEDGER, MARKS, ORDER
from tests.web.county import NOW
from tests.web.fleet import KEYS, REASON, STATES, ms
from tests.web.site import NAME, Site, Visitor

PATHS = ("/devices", "/devices?state=silent", "/devices.csv", "/devices.json", "/devices/kerava-1")


def body(page: str) -> list[tuple[str, list[str]]]:
    """Rows of the table: the device's id and the text of its cells."""
    inside = page.split("<tbody")[1].partition("</tbody>")[0]
    rows = re.findall(r"<tr .*?</tr>", inside, re.S)
    found = []
    for row in rows:
        cells = re.findall(r"<td.*?>(.*?)</td>", row, re.S)
        link = re.search(r'href="/devices/([^"]+)"', row)
        assert link
        found.append((link[1], [" ".join(re.sub("<.*?>", " ", c).split()) for c in cells]))
    return found


def listed(reader: Visitor, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = reader.get(f"/devices.json?{query}").json()["devices"]
    return found


def ids(reader: Visitor, query: str = "") -> list[str]:
    return [one["id"] for one in listed(reader, query)]


# --- who gets in ---------------------------------------------------------------------------------


def test_nothing_is_shown_before_signing_in(fleet: Site) -> None:
    for path in PATHS:
        answer = fleet.visitor().get(path)
        assert answer.status_code == 303, path
        assert answer.headers["Location"].startswith("/login?next="), path
        assert answer.content == b""


def test_every_answer_carries_the_policy(fleet: Site) -> None:
    reader = fleet.reader()
    for path in (*PATHS, "/static/fleet.css", "/devices/nobody"):
        answer = reader.get(path)
        assert all(answer.headers.get(key) for key in HEADERS), path
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
        for forbidden in ("<script", " style=", "<style", "https://", " onclick"):
            assert forbidden not in answer.text, (path, forbidden)


def test_reading_is_written_down(site: Site) -> None:
    reader = site.reader()
    for path in ("/devices?text=aula", "/devices/kerava-1", "/devices.csv?state=silent"):
        assert reader.get(path).status_code == 200
    lines = [(who, what, json.loads(detail)) for who, what, detail in site.audit()[1:]]
    assert lines == [
        (NAME, "read", {"view": "/devices?text=aula"}),
        (NAME, "read", {"view": "/devices/kerava-1"}),
        (NAME, "export", {"view": "state=silent", "by": "devices", "format": "csv"}),
    ]


# --- what is shown -------------------------------------------------------------------------------


def test_every_state_is_shown_in_words(fleet: Site) -> None:
    reader = fleet.reader()
    assert {one["id"]: one["state"] for one in listed(reader)} == STATES
    for language in LANGUAGES:
        words = Words(language, "sync.collector.web")
        page = reader.get(f"/devices?language={language}").text
        summary = html.unescape(re.sub("<.*?>", "", page.split("<h1")[1].split("</h1>")[0]))
        assert words.counted("fleet.n", len(STATES)) in summary
        for device, cells in body(page):
            assert html.unescape(cells[1]).startswith(words(f"state.{STATES[device]}"))
            assert words.counted(f"tally.{STATES[device]}", 1) in summary or STATES[device] == "ok"


def test_every_state_has_its_words_in_every_language() -> None:
    texts = {}
    for language in LANGUAGES:
        words = Words(language, "sync.collector.web")
        texts[language] = set(words._texts)
        for state in ALL_STATES:
            assert words(f"state.{state}")
            assert words.counted(f"tally.{state}", 2)
            assert state == "ok" or words(f"todo.{state}.1", device="x")
        for column in COLUMNS:
            assert words(f"column.device.{column}")
    assert texts["fi"] == texts["sv"] == texts["en"]
    assert set(ORDER) == set(MARKS) == set(ALL_STATES)
    # What needs somebody stands first, what is over last.
    kinds = ("worry", "wait", "good", "over")
    assert [MARKS[state] for state in ORDER] == sorted(MARKS.values(), key=kinds.index)


def test_each_part_of_the_summary_leads_to_just_those(fleet: Site) -> None:
    reader = fleet.reader()
    heading = reader.get("/devices?language=en").text.split("<h1")[1].split("</h1>")[0]
    parts = re.findall(r'href="([^"]+)"[^>]*>(\d+)', heading)
    assert sum(int(n) for _, n in parts) == len(STATES)
    for link, n in parts:
        page = reader.get(html.unescape(link)).text
        assert len(body(page)) == int(n), link
        assert 'aria-current="true"' in page.split("<h1")[1].split("</h1>")[0]


def test_filters(fleet: Site) -> None:
    reader = fleet.reader()
    worries = {"tuusula-2", "jarvenpaa-1", "jarvenpaa-2", "hyvinkaa-1", "hyvinkaa-2", "mantsala-1"}
    assert set(ids(reader, "state=attention")) == worries
    assert set(ids(reader, "municipality=Kerava")) == {"kerava-1", "vanha-1", "vanha-2", "vanha-3"}
    assert set(ids(reader, "text=NEUVONTA")) == {"tuusula-2", "jarvenpaa-2", "hyvinkaa-2"}
    assert ids(reader, "text=neuvonta+hyvink%C3%A4%C3%A4") == ["hyvinkaa-2"]
    assert ids(reader, "text=tandklinik&language=sv&sort=id") == ["hyvinkaa-1", "hyvinkaa-2"]
    assert ids(reader, "state=ok&municipality=Tuusula") == ["tuusula-1"]
    assert ids(reader, "state=weather") == []
    page = reader.get("/devices?state=weather&language=en").text
    assert "No device fits this choice." in page
    assert '<a href="/devices">Show all</a>' in page


def test_sorting_by_any_column(fleet: Site) -> None:
    reader = fleet.reader()
    for column in COLUMNS:
        rising = [one[column] for one in listed(reader, f"sort={column}&order=asc&language=en")]
        falling = [one[column] for one in listed(reader, f"sort={column}&order=desc&language=en")]
        known = [value for value in rising if value not in (None, "")]
        # What nobody knows comes last, whichever way.
        assert rising[: len(known)] == known, column
        if column == "state":
            assert known == sorted(known, key=ORDER.index)
        else:
            keyed = [value.casefold() if isinstance(value, str) else value for value in known]
            assert keyed == sorted(keyed), column
        assert falling[: len(known)] == known[::-1], column


def test_files_are_exactly_what_the_table_shows(fleet: Site) -> None:
    reader = fleet.reader()
    for query in ("", "state=attention&sort=to_send", "municipality=Kerava&sort=name&order=desc"):
        rows = body(reader.get(f"/devices?{query}&language=en").text)
        found = reader.get(f"/devices.json?{query}&language=en").json()
        answer = reader.get(f"/devices.csv?{query}&language=en")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="hymio-devices.csv"'
        assert answer.content.startswith(b"\xef\xbb\xbf")
        head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        names = dict(zip(COLUMNS, head, strict=True))
        table = [dict(zip(head, line, strict=True)) for line in lines]
        assert [row[0] for row in rows] == [one["id"] for one in found["devices"]]
        assert [line[names["id"]] for line in table] == [one["id"] for one in found["devices"]]
        for (_, cells), one, line in zip(rows, found["devices"], table, strict=True):
            figures = [cell.split()[0].replace(",", "") for cell in cells[4:10]]
            assert figures == [str(one[name]) for name in LEDGER]
            assert figures == [line[names[name]] for name in LEDGER]
            assert cells[1].startswith(line[names["state"]])
            assert one["refused"] == line[names["refused"]]
            assert one["active"] is None or str(one["active"]) == line[names["active"]]
            assert bool(one["contact"]) == bool(line[names["contact"]])
        sums = {name: sum(one[name] for one in found["devices"]) for name in LEDGER}
        assert found["total"] == sums


def test_instants_are_local_for_people_and_utc_for_programs(fleet: Site) -> None:
    reader = fleet.reader()
    one = listed(reader, "text=hyvinkaa-2")[0]
    assert one["oldest"] == "2025-11-17T06:30:00Z"
    line = reader.get("/devices.csv?text=hyvinkaa-2&language=fi").content.decode("utf-8-sig")
    assert "2025-11-17 08:30:00" in line
    page = reader.get("/devices?text=hyvinkaa-2&language=fi").text
    assert '<time datetime="2025-11-17T06:30:00+00:00" title="17.11.2025 8.30">2\u00a0pv' in page


def test_the_ledger_accounts_for_every_answer(fleet: Site) -> None:
    reader = fleet.reader()
    found = reader.get("/devices.json").json()
    for one in (*found["devices"], found["total"]):
        assert one["created"] == sum(one[name] for name in LEDGER[1:])
    assert [one["lost"] for one in found["devices"] if one["id"] == "mantsala-1"] == [7]


def test_silence_is_judged_against_opening_hours(site: Site) -> None:
    sunday = datetime(2025, 11, 23, 12, 0, tzinfo=UTC)
    site.clock.at = sunday.timestamp()
    closing = datetime(2025, 11, 21, 13, 59, tzinfo=UTC)
    with sa.create_engine(site.database).begin() as db:
        week = json.dumps(dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "08:00-16:00"))
        where = t.locations.c.id == "kerava"
        db.execute(t.locations.update().where(where).values(hours=week))
        db.execute(t.devices.update().values(last_seen_ms=ms(closing)))
        db.execute(t.epochs.update().values(first_ms=ms(closing)))
    states = {one["id"]: one["state"] for one in listed(site.reader())}
    assert (states["kerava-1"], states["tuusula-1"]) == ("ok", "silent")


def test_one_device_in_full(fleet: Site) -> None:
    reader = fleet.reader()
    page = html.unescape(reader.get("/devices/mantsala-1?language=en").text)
    for said in (
        *("no contact since 16 Nov 2025 10:30", "7 answers lost", "is the plug in?"),
        *("<code>e-mantsala-0</code>", "<code>e-mantsala-1</code>", "3,571", REASON),
        *("<code>hymio fleet publish</code>", "Keravan terveyskeskus", "page 12"),
        *("Answers of 1 Aug 2025–20 Aug 2025 count for Mäntsälän hyvinvointikeskus", "liisa"),
        "An outbox file was damaged and set aside",
    ):
        assert said in page, said
    assert len(re.findall(r"<code>[0-9A-F]{4}(?:-[0-9A-F]{4}){3}</code>", page)) == 2
    for path in ("/devices/mantsala-1", "/devices", "/devices.json", "/devices.csv"):
        assert not any(key in reader.get(path).text for key in KEYS), path
    rows = re.findall(r'<tr role="row">\s*<th scope="row".*?</tr>', page, re.S)
    books = [re.findall(r">([\d,]+)</td>", row) for row in rows]
    old, new, total = ([int(n.replace(",", "")) for n in book] for book in books if len(book) == 6)
    for created, *parts in (old, new, total):
        assert created == sum(parts)
    assert (old[4], new[5], total[4:]) == (7, 17, [7, 17])
    locked = html.unescape(reader.get("/devices/kerava-1?language=en").text)
    assert "locked until 14:45" in locked
    assert "5 wrong PINs" in locked
    waiting = html.unescape(reader.get("/devices/nurmijarvi-1?language=en").text)
    assert "valid until 20 Nov 2025 20:30" in waiting
    assert "<code>hymio fleet enrol nurmijarvi-1</code>" in waiting
    assert "Nothing: this device is in contact" in reader.get("/devices/tuusula-1?language=en").text


# --- bad input -----------------------------------------------------------------------------------


def test_an_unknown_device_is_said_so(fleet: Site) -> None:
    reader = fleet.reader()
    for device in ("nobody", "kerava-1%00", "%2e%2e", "<script>", "a" * 3000):
        answer = reader.get(f"/devices/{device}?language=en")
        assert answer.status_code == 404, device
        assert "There is no such device" in answer.text
        assert "<script" not in answer.text


def test_an_address_that_makes_no_sense_still_gives_a_page(fleet: Site) -> None:
    reader = fleet.reader()
    for query in ("sort=colour&order=up", "state=%00&text=%00", "text=" + "x" * 5000, "sort="):
        for path in ("/devices", "/devices.csv", "/devices.json"):
            assert reader.get(f"{path}?{query}").status_code == 200, (path, query[:20])


def test_names_cannot_break_out_of_a_page(site: Site) -> None:
    evil = "<script>alert(1)</script>\"'&{{7*7}}"
    status = {
        **{"version": evil, "setup": evil, "config_since": evil, "last_touch": evil, "config": 3},
        "refused": [{"version": evil, "reason": evil}, {evil: evil}],
        "alarms": [{"at": evil, "what": evil, "epoch": evil, evil: evil}],
        "service": {"locked_until": evil, "wrong": evil, "opened": [evil]},
    }
    with sa.create_engine(site.database).begin() as db:
        one = {"id": "odd/<b>", "name": evil, "location": "kerava", "state": "active"}
        db.execute(t.devices.insert().values(**one, status=json.dumps(status), last_seen_ms=1))
        where = t.locations.c.id == "kerava"
        db.execute(t.locations.update().where(where).values(name={"fi": evil}, municipality=evil))
        db.execute(t.epochs.insert().values(device="odd/<b>", epoch=evil, have=1, tail=1))
        db.execute(t.keys.insert().values(key=evil, device="kerava-1", state=evil, reason=evil))
        fix = {"device": "kerava-1", "since": evil, "until": "", "location": evil, "reason": evil}
        db.execute(t.corrections.insert().values(**fix, made_by=evil, made_ms=1))
    reader = site.reader()
    for path in (
        "/devices",
        f"/devices?text={evil}",
        "/devices/kerava-1",
        "/devices/odd%2F%3Cb%3E",
        "/",
    ):
        answer = reader.get(path)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
        assert "&lt;script&gt;" in answer.text
        assert "49" not in re.findall(r"script&gt;.{0,20}", answer.text)
    assert json.loads(reader.get("/devices.json").text)


def test_a_spreadsheet_runs_nothing(site: Site) -> None:
    with sa.create_engine(site.database).begin() as db:
        db.execute(t.devices.update().values(name='=HYPERLINK("x")'))
    found = reader_rows(site)
    assert {row[1] for row in found[1:]} == {'\'=HYPERLINK("x")'}


def reader_rows(site: Site) -> list[list[str]]:
    text = site.reader().get("/devices.csv?language=en").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_centre_without_devices_says_what_to_do(site: Site) -> None:
    with sa.create_engine(site.database).begin() as db:
        for table in (t.devices, t.epochs):
            db.execute(table.delete())
    reader = site.reader()
    for path in ("/devices?language=en", "/?language=en"):
        assert "<code>hymio fleet publish</code>" in reader.get(path).text
    assert "No devices yet" in reader.get("/devices?language=en").text
    assert listed(reader) == []


def test_three_hundred_devices_are_one_page(site: Site) -> None:
    with sa.create_engine(site.database).begin() as db:
        usual = {"location": "kerava", "state": "active", "last_seen_ms": ms(NOW)}
        rows = [{"id": f"x-{n}", "name": f"Aula {n}", **usual} for n in range(300)]
        db.execute(t.devices.insert(), rows)
    assert len(body(site.reader().get("/devices").text)) == 310


def test_an_address_reads_back_as_it_was_written() -> None:
    query = {"state": "silent", "municipality": "Järvenpää", "text": "a b"}
    query |= {"sort": "to_send", "order": "asc"}
    read = FleetAddress.read(query)
    assert read.query() == (
        "state=silent&municipality=J%C3%A4rvenp%C3%A4%C3%A4&text=a+b&sort=to_send&order=asc"
    )
    assert FleetAddress.read({}).query() == ""
    assert FleetAddress.read({"sort": "created"}).falling
    assert FleetAddress.read({}).sorted_by("state") == "/devices?order=desc"
