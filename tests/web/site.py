"""A running site, and a person at it without a browser."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

import requests
import sqlalchemy as sa

from sync.collector.store import open_reader
from sync.collector.store import tables as t

NAME = "johtaja"
PASSWORD = "varma ja pitkä salasana"


class Clock:
    """The centre's clock, set by hand."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@dataclass
class Site:
    """Where it is."""

    url: str
    database: str
    clock: Clock

    def visitor(self) -> Visitor:
        return Visitor(self)

    def reader(self) -> Visitor:
        """Somebody who has signed in."""
        found = self.visitor()
        assert found.sign_in().headers["Location"] == "/"
        return found

    def audit(self) -> list[tuple[str, str, str]]:
        store = open_reader(self.database)
        with store.read() as db:
            rows = db.execute(
                sa.select(t.audit.c.who, t.audit.c.what, t.audit.c.detail).order_by(t.audit.c.no)
            ).all()
        store.close()
        return [tuple(row) for row in rows]


class Visitor:
    """One browser's cookies, and requests that follow nothing by themselves."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept"] = "text/html"

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.site.url + path, allow_redirects=False, timeout=30, **options)

    def post(self, path: str, data: dict[str, str], **options: Any) -> requests.Response:
        return self.session.post(
            self.site.url + path, data, allow_redirects=False, timeout=30, **options
        )

    def token(self, path: str) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get(path).text)
        assert found, "no form"
        return found[1]

    def fill(self, form: str, name: str = NAME, password: str = PASSWORD) -> requests.Response:
        """Send a sign-in form as it came, with what it hides."""
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
        hidden = {key: html.unescape(value) for key, value in hidden.items()}
        return self.post("/login", {**hidden, "name": name, "password": password})

    def sign_in(self, name: str = NAME, password: str = PASSWORD) -> requests.Response:
        token = self.token("/login")
        return self.post("/login", {"name": name, "password": password, "token": token})
