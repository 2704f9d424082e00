"""The pages and what they answer."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import anyio.to_thread
import jinja2
from litestar import Request, Response, get, post, route
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from markupsafe import Markup

from sync.collector.problems import problem
from sync.collector.reports.as_json import as_json
from sync.collector.reports.as_text import as_csv, channel_text, late_text
from sync.collector.reports.build import Builder
from sync.collector.reports.publish import FROM_INDICATIVE, for_publication
from sync.collector.reports.queries import Scope
from sync.collector.reports.read import snapshot
from sync.collector.reports.words import LANGUAGES
from sync.collector.web import accounts, dashboard, guard
from sync.collector.web.address import QUICK, SORTS, TABS, Address
from sync.collector.web.fleet_address import ATTENTION, device_link
from sync.collector.web.guard import AnyRequest
from sync.collector.web.health import LEDGER, MARKS
from sync.collector.web.landing import landing, sign_in_link
from sync.collector.web.times import Clock

log = logging.getLogger("hymio.web")

LANGUAGE_NAMES: Final = {"fi": "Suomi", "sv": "Svenska", "en": "English"}
MAX_FORM: Final = 8 << 10
YEAR_S: Final = 365 * 24 * 3600
HTML: Final = "text/html"
_CSS: Final = "text/css; charset=utf-8"
STATIC: Final = {"hymio.css": _CSS, "fleet.css": _CSS, "icon.svg": "image/svg+xml"}


@cache
def _static(name: str) -> tuple[bytes, str]:
    """A file of `static` and its fingerprint, read once."""
    body = (resources.files("sync.collector.web") / "static" / name).read_bytes()
    return body, hashlib.sha256(body).hexdigest()[:12]


def static_link(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return f"/static/{name}?v={_static(name)[1]}"


def keep(text: str) -> Markup:
    """Text whose brackets stay on one line: an interval must not break at its dash."""
    parts = re.split(r"(\([^)]*\))", text)
    wrap = Markup('<span class="keep">{}</span>').format
    return Markup("").join(wrap(part) if part.startswith("(") else part for part in parts)


def coded(text: str) -> Markup:
    """Text whose `commands` stand out."""
    parts = text.split("`")
    wrap = Markup("<code>{}</code>").format
    return Markup("").join(wrap(part) if i % 2 else part for i, part in enumerate(parts))


_templates: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("sync.collector.web"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(keep=keep, coded=coded)
_templates.globals.update(
    static=static_link,
    languages=LANGUAGES,
    language_names=LANGUAGE_NAMES,
    quick_choices=tuple(QUICK),
    tabs=TABS,
    sorts=SORTS,
    attention=ATTENTION,
    device_link=device_link,
    ledger=LEDGER,
    marks=MARKS,
)


def render(
    request: AnyRequest, template: str, *, status: int = 200, **values: Any
) -> Response[str]:
    """A page with its headers, in the reader's language."""
    words = guard.words_of(request)
    values = {"session": None, "address": None, "w": words, **values}
    text = _templates.get_template(template).render(**values)
    response = Response(text, status_code=status, media_type=HTML)
    if request.query_params.get("language") == words.language:
        response.set_cookie(
            guard.cookie(
                request, guard.LANGUAGE_COOKIE, words.language, max_age=YEAR_S, strict=False
            )
        )
    guard.protected(request, response)
    return response


def redirect(request: AnyRequest, to: str) -> Response[Any]:
    """See the other page, by GET."""
    response: Response[Any] = Response(
        b"", status_code=303, media_type="text/plain", headers={"Location": to}
    )
    return guard.protected(request, response)


def to_sign_in(request: AnyRequest, page: str) -> Response[Any]:
    """Sign in first; then it goes on to the page."""
    return redirect(request, sign_in_link(page))


def _login(
    request: AnyRequest, page: str, *, status: int = 200, message: str = "", name: str = ""
) -> Response[Any]:
    token = guard.form_token(request)
    said = {"message": message, "name": name, "token": token, "page": page}
    query = urlsplit(sign_in_link(page)).query
    response = render(request, "login.html", status=status, query=query, **said)
    response.set_cookie(guard.cookie(request, guard.FORM_COOKIE, token, max_age=None, strict=True))
    return response


@get("/login", sync_to_thread=True)
def login_form(request: Request[Any, Any, State]) -> Response[Any]:
    """The sign-in form."""
    page = landing(request.query_params.get("next", ""))
    if guard.session_of(request):
        return redirect(request, page)
    return _login(request, page)


@post("/login", request_max_body_size=MAX_FORM, status_code=303)
async def login(request: Request[Any, Any, State]) -> Response[Any]:
    """Sign in; wrong guesses wait longer and longer."""
    form = await request.form()
    values = {key: str(form.get(key, "")) for key in ("name", "password", "token", "next")}
    return await anyio.to_thread.run_sync(_sign_in, request, values)


def _sign_in(request: AnyRequest, form: dict[str, str]) -> Response[Any]:
    words, name, at = guard.words_of(request), form["name"].strip(), guard.now_ms(request)
    known, page = request.cookies.get(guard.FORM_COOKIE, ""), landing(form["next"])
    if not guard.from_here(request) or not guard.same(form["token"], known):
        return _login(request, page, status=403, message=words("login.expired"))
    where = guard.address(request)
    guesses = guard.guesses_of(request)
    if wait := guesses.wait_s(name, where, at):
        message = words.counted("login.wait", wait)
        found = _login(request, page, status=429, message=message, name=name)
        found.headers["Retry-After"] = str(wait)
        return found
    user = accounts.check(guard.store_of(request), name, form["password"])
    if user is None:
        guesses.wrong(name, where, at)
        # A name nobody has may be a password typed into the wrong field.
        who = name if accounts.exists(guard.store_of(request), name) else ""
        guard.note(request, who, "login-failed")
        return _login(request, page, status=401, message=words("login.wrong"), name=name)
    guesses.right(name, where)
    token = accounts.begin_session(guard.store_of(request), user, at)
    guard.note(request, user.name, "login")
    response = redirect(request, page)
    response.set_cookie(guard.session_cookie(request, token))
    return response


@post("/logout", request_max_body_size=MAX_FORM, status_code=303)
async def logout(request: Request[Any, Any, State]) -> Response[Any]:
    """Sign out."""
    form = await request.form()
    sent = form.get("token")

    def work() -> Response[Any]:
        session = guard.session_of(request)
        if session is None:
            return redirect(request, "/login")
        if not guard.from_here(request) or not guard.same(sent, session.csrf):
            return error_page(request, 403)
        accounts.end_session(guard.store_of(request), session)
        guard.note(request, session.user.name, "logout")
        response = redirect(request, "/login")
        response.set_cookie(guard.session_cookie(request, ""))
        return response

    return await anyio.to_thread.run_sync(work)


@get("/", sync_to_thread=True)
def home(request: Request[Any, Any, State]) -> Response[Any]:
    """The one page: how are we doing, where, in what, and can it be trusted."""
    session = guard.session_of(request)
    address = Address.read(request.query_params)
    if session is None:
        return to_sign_in(request, address.link())
    words = guard.words_of(request)
    now = datetime.fromtimestamp(guard.now_ms(request) / 1000, UTC)
    with snapshot(guard.store_of(request)) as db:
        builder = Builder(db, words, now)
        page = dashboard.page(builder, address)
        organisation = words.pick(builder.names.organisation, words("product"))
    guard.note(request, session.user.name, "read", view=address.query() or "/")
    clock = Clock(words, ZoneInfo(builder.names.timezone), now)
    return render(
        request,
        "dashboard.html",
        session=session,
        organisation=organisation,
        page=page,
        address=address,
        clock=clock,
        channel=channel_text(page.summary, words),
        late=late_text(page.summary, words),
        few=page.summary.headline.n < FROM_INDICATIVE * 3,
    )


@get("/export.csv", sync_to_thread=True)
def export_csv(request: Request[Any, Any, State]) -> Response[Any]:
    """The comparison for a spreadsheet."""
    return _export(request, "csv")


@get("/export.json", sync_to_thread=True)
def export_json(request: Request[Any, Any, State]) -> Response[Any]:
    """The comparison for a program."""
    return _export(request, "json")


def _export(request: AnyRequest, form: str) -> Response[Any]:
    """The comparison as a file; `public=1` follows the publishing rules."""
    session = guard.session_of(request)
    address = Address.read(request.query_params)
    if session is None:
        return to_sign_in(request, address.link())
    words = guard.words_of(request)
    public = request.query_params.get("public") == "1"
    now = datetime.fromtimestamp(guard.now_ms(request) / 1000, UTC)
    statements = request.query_params.get("what") == "statements"
    with snapshot(guard.store_of(request)) as db:
        builder = Builder(db, words, now)
        if statements:
            scope = Scope(address.period(builder.today))
            report = builder.report("statement", scope, sort="nps", descending=True)
        else:
            report = dashboard.comparison(builder, address)
    if public:
        report = for_publication(report)
    guard.note(
        request,
        session.user.name,
        "export",
        view=address.query(),
        by=report.by,
        format=form,
        public=public,
    )
    if form == "json":
        body = json.dumps(as_json(report, words), ensure_ascii=False, indent=2)
    else:
        # Spreadsheets take a file without this mark for their own code page.
        body = "\ufeff" + as_csv(report, words)
    name = f"hymio-{report.by}{'-public' if public else ''}.{form}"
    response: Response[Any] = Response(
        body.encode(),
        media_type="application/json" if form == "json" else "text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
    return guard.protected(request, response)


@get("/static/{name:str}", sync_to_thread=False)
def static(request: Request[Any, Any, State]) -> Response[Any]:
    """A style sheet or picture of ours."""
    name = str(request.path_params["name"])
    if name not in STATIC:
        return error_page(request, 404)
    response: Response[Any] = Response(
        _static(name)[0],
        media_type=STATIC[name],
        headers={"Cache-Control": f"public, max-age={YEAR_S}, immutable"},
    )
    return guard.protected(request, response)


# --- what goes wrong -----------------------------------------------------------------------------


def error_page(request: AnyRequest, status: int, *, about: str = "") -> Response[Any]:
    """A calm page that says what happened and where to go; `about` names its own wording."""
    shown = about or (status if status in (403, 404, 429) else 500)
    return render(request, "error.html", status=status, shown=shown)


@route(
    "/{path:path}",
    http_method=["GET", "POST", "PUT", "PATCH", "DELETE"],
    sync_to_thread=False,
    status_code=404,
)
def nowhere(request: Request[Any, Any, State]) -> Response[Any]:
    """Every other address: a page for people, a problem for programs."""
    if HTML in request.headers.get("accept", ""):
        return error_page(request, 404)
    return problem("not_found", "there is nothing here")


def failed(request: AnyRequest, error: Exception) -> Response[Any]:
    """The page for what a handler raised; a defect is logged, never shown."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        log.error("a page failed", exc_info=error)
    return error_page(request, status)


ROUTES: Final[list[HTTPRouteHandler]] = [
    *(login_form, login, logout, home, export_csv, export_json, static, nowhere),
]
