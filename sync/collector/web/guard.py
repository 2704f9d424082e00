"""Who may see a page, and with which headers it leaves: sessions, CSRF, content policy."""

from __future__ import annotations

import secrets
from typing import Any, Final
from weakref import WeakKeyDictionary

from litestar import Request, Response
from litestar.datastructures import Cookie, State

from sync.collector import audit
from sync.collector.reports.words import LANGUAGES, Words
from sync.collector.store import Store
from sync.collector.web import accounts
from sync.collector.web.accounts import Guesses, Session

AnyRequest = Request[Any, Any, State]

LANGUAGE_COOKIE: Final = "hymio_language"
FORM_COOKIE: Final = "hymio_form"
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""No script at all, no inline style, nothing from elsewhere."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cache-Control": "no-store",
}


def store_of(request: AnyRequest) -> Store:
    """The centre's database."""
    found: Store = request.app.state.store
    return found


def now_ms(request: AnyRequest) -> int:
    """The centre's clock, in milliseconds since 1970."""
    return int(request.app.state.now() * 1000)


_guesses: WeakKeyDictionary[Store, Guesses] = WeakKeyDictionary()


def guesses_of(request: AnyRequest) -> Guesses:
    """Wrong passwords at this centre."""
    return _guesses.setdefault(store_of(request), Guesses())


def https(request: AnyRequest) -> bool:
    """Whether the reader came over TLS; a trusted proxy's word reaches us as the scheme."""
    return request.url.scheme == "https"


def address(request: AnyRequest) -> str:
    """Where the request came from; only kept in memory, to slow guesses down."""
    return request.client.host if request.client else ""


def language(request: AnyRequest) -> str:
    """What the reader chose, else the browser's wish, else Finnish."""
    wanted = [request.query_params.get("language", ""), request.cookies.get(LANGUAGE_COOKIE, "")]
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        wanted.append(part.split(";")[0].strip().split("-")[0].lower())
    return next((one for one in wanted if one in LANGUAGES), LANGUAGES[0])


def words_of(request: AnyRequest) -> Words:
    """The wording of reports and pages in the reader's language."""
    return Words(language(request), "sync.collector.web")


def _name(request: AnyRequest) -> str:
    # The prefix binds the cookie to TLS and to this host; without TLS browsers refuse it.
    return "__Host-hymio_session" if https(request) else "hymio_session"


def session_of(request: AnyRequest) -> Session | None:
    """The reader's session; None when not signed in."""
    token = request.cookies.get(_name(request), "")
    return accounts.find_session(store_of(request), token, now_ms(request)) if token else None


def cookie(
    request: AnyRequest, key: str, value: str, *, max_age: int | None, strict: bool
) -> Cookie:
    """A cookie scripts cannot read, and only TLS carries where there is TLS."""
    return Cookie(
        key=key,
        value=value,
        path="/",
        httponly=True,
        secure=https(request),
        samesite="strict" if strict else "lax",
        max_age=max_age,
    )


def session_cookie(request: AnyRequest, token: str) -> Cookie:
    """The cookie that holds a session; an empty token ends it."""
    age = accounts.SESSION_MS // 1000 if token else 0
    return cookie(request, _name(request), token, max_age=age, strict=False)


def form_token(request: AnyRequest) -> str:
    """The token the sign-in form sends back; new where the browser has none."""
    found = request.cookies.get(FORM_COOKIE, "")
    return found if 20 <= len(found) <= 100 and found.isascii() else secrets.token_urlsafe(24)


def same(sent: object, known: str) -> bool:
    """Whether two tokens are the same, in constant time; an empty one never is."""
    if not isinstance(sent, str) or not known:
        return False
    return secrets.compare_digest(sent.encode(), known.encode())


def from_here(request: AnyRequest) -> bool:
    """Whether the browser says the form was sent from our own page, or says nothing."""
    return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def note(request: AnyRequest, who: str, what: str, **detail: object) -> None:
    """A line in the audit log."""
    with store_of(request).tx() as tx:
        audit.note(tx, now_ms(request), who, what, detail)


def protected(request: AnyRequest, response: Response[Any]) -> Response[Any]:
    """Put the headers on that every page carries."""
    for key, value in HEADERS.items():
        response.headers.setdefault(key, value)
    if https(request):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
