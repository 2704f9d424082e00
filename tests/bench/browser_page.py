"""The same questions as a web page: SurveyJS in kiosk Chromium, from a server on loopback.

The packages come from npm at the versions of `page/package-lock.json` and stay in build/. The
server is a process of its own, so that its work is not the browser's.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kiosk.wording import wording
from sync.contract.bundle import Bundle

PAGE = Path(__file__).parent / "page"
INSTALLED = Path("build/page")
SCRIPTS = ("survey-core/survey.core.min.js", "survey-js-ui/survey-js-ui.min.js")
BINARY = Path("/usr/lib/chromium/chromium")
"""Debian's, without the shell script in front, which costs time at the start."""
FLAGS = (
    *("--kiosk", "--ozone-platform=x11", "--no-first-run", "--no-default-browser-check"),
    # A kiosk asks nobody outside for anything, and runs nothing that nobody sees.
    *("--disable-quic", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-breakpad"),
    *("--disable-domain-reliability", "--disable-client-side-phishing-detection", "--no-pings"),
    *("--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider",),
    *("--password-store=basic", "--use-mock-keychain", "--noerrdialogs", "--disable-infobars"),
    *("--overscroll-history-navigation=0", "--disable-pinch", "--lang=fi"),
    # Root in a sandbox of its own.
    "--no-sandbox",
)
TUNED = ("--disable-gpu",)
"""Without a GPU the software compositor is faster and smaller than GL in software. Tried by turns
and no better by more than they scatter: no vsync and no frame limit, the GPU process inside the
browser, no zygote, one renderer, no checker imaging, low-end device mode.
"""


def site(bundle: Bundle, folder: Path) -> Path:
    """The page with its scripts and the bundle's own words, ready to be served."""
    folder.mkdir(parents=True)
    modules = installed() / "node_modules"
    for script in SCRIPTS:
        shutil.copy(modules / script, folder)
    for file in ("index.html", "kiosk.css", "kiosk.js"):
        shutil.copy(PAGE / file, folder)
    words = json.dumps(_words(bundle), ensure_ascii=False, indent=1)
    (folder / "wording.js").write_text(f"const WORDING = {words};\n")
    return folder


def installed() -> Path:
    """The packages as the lock file has them; installed where they are not yet."""
    lock = hashlib.sha256((PAGE / "package-lock.json").read_bytes()).hexdigest()
    stamp = INSTALLED / ".lock-sha256"
    if not stamp.exists() or stamp.read_text() != lock:
        INSTALLED.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(PAGE / file, INSTALLED)
        words = ["npm", "ci", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(words, cwd=INSTALLED, check=True)
        stamp.write_text(lock)
    return INSTALLED


def _words(bundle: Bundle) -> dict[str, object]:
    """What the page says and how long it waits, from the bundle and its resting language."""
    language = bundle.languages[0]
    text = bundle.texts[language]
    changed = bundle.organisation.changed.get(language, "")
    return {
        "thanks_ms": bundle.timing.thanks_s * 1000,
        "idle_ms": bundle.timing.idle_s * 1000,
        "question": text["nps.question"],
        "low": text["nps.low"],
        "high": text["nps.high"],
        "agree": [text[f"agree.{n}"] for n in range(1, 6)],
        "statements": [
            (statement.id, text[f"statement.{statement.id}"])
            for statement in bundle.survey.statements[: bundle.survey.count]
        ],
        "languages": [wording(each)["language.name"] for each in bundle.languages],
        "texts": {
            "organisation": bundle.organisation.name[language],
            "anonymous": text["anonymous"],
            "thanks": text["thanks"],
            "saved": text["thanks.saved"],
            "changed": f"{text['thanks.changed']} {changed}" if changed else "",
            "back": text["back"],
            "skip": text["skip"],
            "reply": text["thanks.reply"],
            "done": text["done"],
            "language": text["language.name"],
        },
    }


def command(url: str, profile: Path, size: tuple[int, int], flags: tuple[str, ...]) -> list[str]:
    """How Chromium is started on the page."""
    program = str(BINARY) if BINARY.exists() else "chromium"
    # Without a window manager it draws a pixel less each way than it is told.
    width, height = size[0] + 1, size[1] + 1
    where = (f"--user-data-dir={profile}", f"--window-size={width},{height}")
    return [program, *FLAGS, *flags, *where, "--window-position=0,0", url]


class _Handler(SimpleHTTPRequestHandler):
    """Files, kept by the browser as long as it likes; says nothing."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback in a process of its own; yields its address."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.browser_page", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        if not port:
            raise OSError("the page's server does not start")
        yield f"http://127.0.0.1:{port}/index.html"
    finally:
        server.terminate()
        server.wait(10)
        if server.stdout:
            server.stdout.close()


def _serve(folder: str) -> None:
    handler = functools.partial(_Handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1])
