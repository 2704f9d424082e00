"""The pages as seen from the wire: who gets in, with which headers, what is written down."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
import sqlalchemy as sa

from sync.collector.store import open_store
from sync.collector.store import tables as t
from sync.collector.web import AccountError, accounts, add_user
from sync.collector.web.address import Address
from sync.collector.web.guard import HEADERS
from tests.web.site import NAME, PASSWORD, Site


def test_nothing_is_shown_before_signing_in(county: Site) -> None:
    for path in ("/", "/export.csv", "/export.json", "/?by=device"):
        answer = county.visitor().get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].split("?")[0] == "/login"
        assert answer.content == b""


def test_signing_in_leads_to_the_page_first_asked_for(county: Site) -> None:
    visitor = county.visitor()
    door = visitor.get("/devices?state=silent&text=pää+ovi").headers["Location"]
    # Another language on the way, and a wrong password: the page is not forgotten.
    links = re.findall(r'href="(\?[^"]*language=sv)"', visitor.get(door).text)
    form = visitor.get("/login" + html.unescape(links[0]))
    assert "Logga in" in form.text
    form = visitor.fill(form.text, password="not this one")
    assert form.status_code == 401
    answer = visitor.fill(form.text)
    lands = "/devices?state=silent&text=p%C3%A4%C3%A4+ovi"
    assert (answer.status_code, answer.headers["Location"]) == (303, lands)
    # Who is in already goes on at once.
    for first, lands in (
        ("/", "/"),
        ("/?by=device&sort=nps", "/?by=device&sort=nps"),
        ("/export.csv?by=device&public=1", "/?by=device"),  # the page; its file is a click away
        ("/devices", "/devices"),
        ("/devices.json?state=silent", "/devices?state=silent"),
        ("/devices/kerava-1", "/devices/kerava-1"),
        ("/devices/a%20%2F%3F%00b?x=1", "/devices/a%20%2F%3F%00b"),
    ):
        door = county.visitor().get(first).headers["Location"]
        assert visitor.get(door).headers["Location"] == lands


def test_signing_in_never_leads_elsewhere(county: Site) -> None:
    reader = county.reader()
    for elsewhere in (
        "https://evil.example/devices",
        "//evil.example",
        "///evil.example/devices",
        "/\\evil.example",
        "/\t/evil.example",
        "/devices@evil.example",
        "/devices?x=1\r\nSet-Cookie: a=b",
        "/devices\n",
        "/devices//evil.example",
        "javascript:alert(1)",
        "/logout",
        "/login?next=/devices",
        "/v1/admin/devices",
        "/devices?" + "x" * 2000,
        "devices",
        "",
    ):
        query = {"next": elsewhere}
        assert reader.get("/login", params=query).headers["Location"] == "/", elsewhere
        form = county.visitor().get("/login", params=query).text
        assert 'name="next" value="/"' in form, elsewhere
    visitor = county.visitor()
    right = {"name": NAME, "password": PASSWORD, "token": visitor.token("/login")}
    answer = visitor.post("/login", {**right, "next": "//evil.example"})
    assert answer.headers["Location"] == "/"


def test_every_answer_carries_the_policy(county: Site) -> None:
    reader = county.reader()
    for path in ("/", "/export.csv", "/export.json", "/static/hymio.css", "/login", "/nowhere"):
        answer = reader.get(path)
        for key in HEADERS:
            assert answer.headers.get(key), (path, key)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
    page = reader.get("/").text
    for forbidden in ("<script", " style=", "<style", "http://", "https://", " onclick"):
        assert forbidden not in page.replace("http://www.w3.org/", ""), forbidden
    assert reader.get("/").headers["Cache-Control"] == "no-store"


def test_the_cookie_is_out_of_reach_of_scripts(site: Site) -> None:
    visitor = site.visitor()
    cookie = visitor.sign_in().headers["Set-Cookie"]
    assert "hymio_session=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # plain HTTP on loopback


def test_over_tls_cookies_are_secure_and_bound_to_the_host(site: Site) -> None:
    visitor = site.visitor()
    # uvicorn takes a proxy's word about the scheme from loopback.
    proxied = {"X-Forwarded-Proto": "https"}
    form = visitor.get("/login", headers=proxied)
    token = form.text.split('name="token" value="')[1].split('"')[0]
    answer = visitor.post(
        "/login",
        {"name": NAME, "password": PASSWORD, "token": token},
        headers={**proxied, "Cookie": f"hymio_form={token}"},
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-hymio_session=")
    assert "Secure" in cookie
    assert "Strict-Transport-Security" in answer.headers


def test_only_a_digest_of_the_session_is_stored(site: Site) -> None:
    reader = site.reader()
    token = reader.session.cookies["hymio_session"]
    with open_reader_rows(site, t.sessions) as rows:
        assert len(rows) == 1
        assert token not in str(rows)
    with open_reader_rows(site, t.users) as rows:
        assert PASSWORD not in str(rows)
        assert rows[0].password_hash.startswith("$argon2id$")


class open_reader_rows:  # noqa: N801 - reads like a function
    def __init__(self, site: Site, table: sa.Table) -> None:
        from sync.collector.store import open_reader

        self._store, self._table = open_reader(site.database), table

    def __enter__(self) -> list[sa.Row[tuple[object, ...]]]:
        with self._store.read() as db:
            return list(db.execute(sa.select(self._table)))

    def __exit__(self, *_: object) -> None:
        self._store.close()


def test_a_session_ends_with_signing_out_and_with_the_day(site: Site) -> None:
    reader = site.reader()
    token = reader.token("/")
    stolen = dict(reader.session.cookies)
    assert reader.post("/logout", {"token": token}).headers["Location"] == "/login"
    reader.session.cookies.update(stolen)
    assert reader.get("/").status_code == 303
    again = site.reader()
    assert again.get("/").status_code == 200
    site.clock.at += accounts.SESSION_MS / 1000 + 1
    assert again.get("/").status_code == 303


def test_a_form_from_elsewhere_is_refused(site: Site) -> None:
    visitor = site.visitor()
    token = visitor.token("/login")
    right = {"name": NAME, "password": PASSWORD}
    assert visitor.post("/login", right).status_code == 403
    assert visitor.post("/login", {**right, "token": "x" * 32}).status_code == 403
    crossed = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.post("/login", {**right, "token": token}, headers=crossed).status_code == 403
    assert site.visitor().post("/login", {**right, "token": token}).status_code == 403
    reader = site.reader()
    known = reader.token("/")
    assert reader.post("/logout", {}).status_code == 403
    assert reader.post("/logout", {"token": known}, headers=crossed).status_code == 403
    assert reader.get("/").status_code == 200


def test_guesses_are_slowed_down_and_never_locked_out(site: Site) -> None:
    visitor = site.visitor()
    codes = [visitor.sign_in(password=f"wrong {n}").status_code for n in range(8)]
    assert codes[: accounts.FREE_GUESSES] == [401] * accounts.FREE_GUESSES
    assert codes[-1] == 429
    answer = visitor.sign_in()
    assert answer.status_code == 429
    site.clock.at += int(answer.headers["Retry-After"])
    assert visitor.sign_in().status_code == 303


def test_ten_thousand_guesses_get_nowhere() -> None:
    guesses = accounts.Guesses()
    now, taken = 0, 0
    for _ in range(10_000):
        now += 1000  # one a second
        if not guesses.wait_s("johtaja", "192.0.2.1", now):
            taken += 1
            guesses.wrong("johtaja", "192.0.2.1", now)
    assert taken < 60
    assert guesses.wait_s("another", "192.0.2.2", now) == 0
    assert guesses.wait_s("johtaja", "192.0.2.1", now + 1000 * accounts.LONGEST_WAIT_S) == 0


def test_memory_of_guesses_is_bounded() -> None:
    guesses = accounts.Guesses(size=100)
    for number in range(1000):
        guesses.wrong(f"name {number}", f"address {number}", 0)
    assert len(guesses._wrong) == 100


def test_a_wrong_name_and_a_wrong_password_look_alike(site: Site) -> None:
    one = site.visitor().sign_in(name="nobody")
    two = site.visitor().sign_in(password="not this one")
    assert (one.status_code, two.status_code) == (401, 401)
    alert = '<p class="notice" role="alert">'
    assert one.text.split(alert)[1].split("</p>")[0] == two.text.split(alert)[1].split("</p>")[0]


@pytest.mark.parametrize("name", ["x" * 10_000, "\x00", "' or 1=1 --", "<script>alert(1)</script>"])
def test_odd_names_are_only_wrong(site: Site, name: str) -> None:
    answer = site.visitor().sign_in(name=name)
    assert answer.status_code in (401, 413)
    assert "<script>alert" not in answer.text


def test_a_disabled_account_is_out_at_once(site: Site) -> None:
    reader = site.reader()
    with sa.create_engine(site.database).begin() as db:
        db.execute(t.users.update().values(disabled_ms=1))
    assert reader.get("/").status_code == 303
    assert reader.sign_in().status_code == 401


def test_reading_and_signing_in_are_written_down(site: Site) -> None:
    visitor = site.visitor()
    visitor.sign_in(name="a password typed into the wrong field")
    visitor.sign_in(password="wrong wrong")
    visitor.sign_in()
    visitor.get("/?by=device")
    visitor.get("/export.csv?public=1")
    visitor.post("/logout", {"token": visitor.token("/")})
    lines = site.audit()
    assert [(who, what) for who, what, _ in lines] == [
        ("", "login-failed"),
        (NAME, "login-failed"),
        (NAME, "login"),
        (NAME, "read"),
        (NAME, "export"),
        (NAME, "read"),
        (NAME, "logout"),
    ]
    assert json.loads(lines[3][2]) == {"view": "by=device"}
    assert "typed" not in str(lines)


def test_accounts_are_made_with_care(site: Site, tmp_path: object) -> None:
    store = open_store(f"sqlite:///{tmp_path}/other.db", fresh=True)
    add_user(store, "maija", "kahdeksan", role="admin", now_ms=0)
    for name, password, role in (
        ("maija", "kahdeksan", "viewer"),
        ("liisa", "short", "viewer"),
        ("liisa", "kahdeksan", "king"),
        (" ", "kahdeksan", "viewer"),
    ):
        with pytest.raises(AccountError):
            add_user(store, name, password, role=role, now_ms=0)
    store.close()


# --- what the page says --------------------------------------------------------------------------


def test_exports_are_the_comparison_shown(county: Site) -> None:
    reader = county.reader()
    answer = reader.get("/export.csv?period=twelve-months&by=device&language=fi")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hymio-device.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    found = reader.get("/export.json?period=twelve-months&by=device&language=fi").json()
    names = [row["name"] for row in found["rows"]]
    assert [row[0] for row in rows[1 : len(names) + 1]] == names
    page = reader.get("/?period=twelve-months&by=device&language=fi").text
    for row in found["rows"]:
        assert f'<th scope="row">{row["name"]}' in page


def test_statements_are_exported_for_the_period_shown(county: Site) -> None:
    reader = county.reader()
    found = reader.get("/export.json?by=device&what=statements&language=fi").json()
    assert (found["by"], found["period"]["from"]) == ("statement", "2025-11-01")
    assert len(found["rows"]) == 5
    shares = [row["fully_agree_pct"] for row in found["rows"]]
    assert shares == sorted(shares, reverse=True)


def test_the_export_for_publication_follows_the_rules(county: Site) -> None:
    reader = county.reader()
    answer = reader.get("/export.json?from=2025-11-01&to=2025-11-04&public=1")
    rows = answer.json()["rows"]
    assert any(row["shown"] != "full" for row in rows)
    for row in rows:
        assert (row["n"] is None) == (row["shown"] in ("hidden", "under10"))


def test_a_total_is_explained_by_its_rows(county: Site) -> None:
    reader = county.reader()
    for by in ("location", "device", "municipality", "service", "channel"):
        found = reader.get(f"/export.json?period=all&by={by}").json()
        for part in ("n", "promoters", "passives", "detractors"):
            assert found["total"][part] == sum(row[part] for row in found["rows"])


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2025-13-01&to=x",
        "from=2026-01-01&to=2025-01-01",
        "by=weather&sort=colour&order=up&period=later&compare=x&trend=day",
        "from=9999-12-31&to=9999-12-31",
        "from=0001-01-01&to=0001-01-02",
        "from=2030-01-01&to=2030-02-01",
        "by=%00&from=%00",
    ],
)
def test_an_address_that_makes_no_sense_still_gives_a_page(county: Site, query: str) -> None:
    answer = county.reader().get(f"/?{query}")
    assert answer.status_code == 200
    assert "<h1" in answer.text


def test_names_cannot_break_out_of_page_or_chart(site: Site) -> None:
    evil = "<script>alert(1)</script>\"'&"
    with sa.create_engine(site.database).begin() as db:
        db.execute(t.locations.update().values(name={"fi": evil}))
        row = {
            **{"day": "2025-11-10", "question": "nps", "device": "kerava-1", "location": "kerava"},
            **{"municipality": evil, "service": evil, "channel": evil, "survey": evil},
            **{"language": "fi", "layout": "", "mode": "", "flagged": False, "test": False},
        }
        db.execute(t.daily_counts.insert().values(**row, value=9, n=40))
        db.execute(t.daily_counts.insert().values(**{**row, "question": evil}, value=5, n=40))
    reader = site.reader()
    for by in ("location", "municipality", "service", "channel", "device"):
        page = reader.get(f"/?by={by}").text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_other_addresses_get_a_page_or_a_problem(county: Site) -> None:
    visitor = county.visitor()
    answer = visitor.get("/no/such/page?language=en")
    assert (answer.status_code, "There is no such page" in answer.text) == (404, True)
    answer = visitor.get("/no/such/page", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = visitor.get("/v1/nothing", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_defect_gets_a_calm_page_and_a_log_line(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sync.collector.web import dashboard

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(dashboard, "page", broken)
    answer = site.reader().get("/?language=en")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "secret" not in answer.text
    assert "a page failed" in caplog.text


def test_an_address_reads_back_as_it_was_written() -> None:
    query = {"from": "2025-01-01", "to": "2025-02-01", "by": "device", "sort": "nps"}
    query |= {"order": "asc", "compare": "year-before", "trend": "week"}
    written = Address.read(query).query()
    assert dict(part.split("=") for part in written.split("&")) == query
    assert Address.read({}).query() == ""
