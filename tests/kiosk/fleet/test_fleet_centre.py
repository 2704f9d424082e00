"""publish, enrol, status: against the real centre over a real socket, and against what else may
answer at an address."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
import requests
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import paths
from kiosk.fleet import enrol, keys, publish
from kiosk.fleet.admin import Admin
from kiosk.fleet.cli import fleet
from kiosk.fleet.errors import KeyFileError, RefusedError, UnreachableError
from kiosk.fleet.resolve import resolve
from kiosk.fleet.tree import Tree
from sync.contract import bundle as bundles
from sync.contract import code as codes
from sync.contract.signing import sign, verify
from tests.kiosk.fleet.county import County

EXAMPLE = paths.example_config()
HYMIO = (sys.executable, "-m", "kiosk.cli")


@dataclass
class Desk:
    """IT's desk: keys, and a centre that knows the operator."""

    folder: Path
    url: str
    key: Ed25519PrivateKey

    def fleet(self, command: str, *words: str, root: Path = EXAMPLE) -> Result:
        own = ["--root", str(root), "--keys", str(self.folder / "keys"), "--url", self.url]
        return CliRunner().invoke(fleet, [command, *words, *own])

    def admin(self) -> Admin:
        return Admin(self.url, keys.read(self.folder / "keys", "operator"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    database = f"sqlite:///{folder / 'centre.db'}"
    made = CliRunner().invoke(fleet, ["keygen", "--keys", str(folder / "keys")])
    assert made.exit_code == 0, made.output

    def hymio(*words: str) -> None:
        subprocess.run([*HYMIO, *words], check=True, capture_output=True, timeout=60)

    hymio("collector", "migrate", "--database", database)
    operator = (folder / "keys/operator.pub").read_text().strip()
    hymio(*("collector", "add-operator", "--database", database, "--name", "it", "--key", operator))
    with (folder / "centre.log").open("wb") as log:
        centre = subprocess.Popen(
            [*HYMIO, "collector", "serve", "--database", database, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert centre.stdout
        line = centre.stdout.readline()
        found = re.search(r"listening on (http://\S+)", line)
        assert found, line + (folder / "centre.log").read_text()
        yield Desk(folder, found[1], keys.read(folder / "keys", "organisation"))
    finally:
        centre.terminate()
        centre.wait(20)
        if centre.stdout:
            centre.stdout.close()


def test_publish_uploads_what_devices_trust_and_versions_rise(desk: Desk) -> None:
    before = desk.admin().organisation().get("versions", {})
    done = desk.fleet("publish")
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"10 devices published at {desk.url}\n")
    versions = desk.admin().organisation()["versions"]
    assert versions == {f"esim-{n:04}": before.get(f"esim-{n:04}", 0) + 1 for n in range(1, 11)}
    forced = desk.fleet("publish", "esim-0003", "--all", "--format", "json")
    assert json.loads(forced.stdout)["versions"] == {"esim-0003": versions["esim-0003"] + 1}
    assert desk.admin().organisation()["key"] == bundles.key_text(desk.key.public_key())


def test_a_published_bundle_reaches_an_enrolled_device_exactly(desk: Desk) -> None:
    """A device's own requests, by hand: the code redeems, the signature holds, content is ours."""
    assert desk.fleet("publish", "esim-0001").exit_code == 0
    told = json.loads(desk.fleet("enrol", "esim-0001", "--format", "json").stdout)
    assert re.fullmatch(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}", told["code"])
    device = Ed25519PrivateKey.generate()

    def call(method: str, path: str, body: bytes = b"") -> requests.Response:
        headers = {"Content-Type": "application/json"}
        headers |= sign(method, path, headers, body, device)
        return requests.request(method, desk.url + path, data=body, headers=headers, timeout=20)

    body = json.dumps(
        {
            "v": 1,
            "code": codes.secret(told["code"]),
            "public_key": bundles.key_text(device.public_key()),
        }
    )
    reply = call("POST", "/v1/enrol", body.encode())
    assert reply.status_code == 200, reply.text
    assert reply.json()["device"] == "esim-0001"
    assert reply.json()["organisation_key"] == told["organisation_key"]
    container = call("GET", "/v1/config")
    assert container.status_code == 200, container.text
    bundle = bundles.unpack(
        container.content, trusted=(told["organisation_key"],), device="esim-0001"
    )
    ours = resolve(EXAMPLE, "esim-0001")
    assert msgspec.structs.replace(bundle, version=0) == ours
    assert bundle.version == desk.admin().organisation()["versions"]["esim-0001"]


def test_the_centre_never_learns_a_code(desk: Desk) -> None:
    assert desk.fleet("publish", "esim-0005").exit_code == 0
    code = json.loads(desk.fleet("enrol", "esim-0005", "--format", "json").stdout)["code"]
    files = [path for path in desk.folder.glob("centre.*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    assert codes.sha256(code).encode() in content
    assert code.encode() not in content
    assert code.replace("-", "").encode() not in content


def test_enrol_prints_the_code_first_and_how_long_it_lives(desk: Desk) -> None:
    assert desk.fleet("publish", "esim-0002").exit_code == 0
    done = desk.fleet("enrol", "esim-0002", "--valid", "30d")
    assert done.exit_code == 0, done.output
    assert re.match(r"[2-9A-Z]{4}(-[2-9A-Z]{4}){3}\n  device       esim-0002\n", done.output)
    assert "valid until" in done.output
    assert bundles.fingerprint(bundles.key_text(desk.key.public_key())) in done.output


def test_enrol_of_a_device_the_centre_does_not_know_says_publish_first(
    desk: Desk, county: County
) -> None:
    county.write("devices/esim-0050.toml", 'id = "esim-0050"\nlocation = "0003"\nname = "Uusi"\n')
    assert desk.fleet("publish", "esim-0001").exit_code == 0
    done = desk.fleet("enrol", "esim-0050", root=county.root)
    assert done.exit_code == 1
    assert "hymio fleet publish" in done.output


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    assert desk.fleet("publish").exit_code == 0
    before = desk.admin().organisation()
    assert "would be published" in desk.fleet("publish", "--dry-run").output
    assert desk.fleet("enrol", "esim-0001", "--dry-run").exit_code == 0
    assert desk.admin().organisation() == before


def test_nothing_is_published_while_a_file_is_wrong(desk: Desk, county: County) -> None:
    before = desk.admin().organisation()
    county.edit("devices/esim-0009.toml", 'location = "0024"', 'location = "0099"')
    done = desk.fleet("publish", "esim-0001", root=county.root)
    assert done.exit_code == 1
    assert "devices/esim-0009.toml:4: location" in done.output
    assert desk.admin().organisation() == before


def test_another_organisation_key_than_the_centre_knows_is_refused(
    desk: Desk, tmp_path: Path
) -> None:
    assert desk.fleet("publish", "esim-0001").exit_code == 0
    before = desk.admin().organisation()
    keys.make(tmp_path / "keys", "organisation")
    (tmp_path / "keys/operator.key").write_bytes((desk.folder / "keys/operator.key").read_bytes())
    (tmp_path / "keys/operator.key").chmod(0o600)
    done = Desk(tmp_path, desk.url, desk.key).fleet("publish")
    assert done.exit_code == 2
    assert "right key" in done.output
    enrolled = Desk(tmp_path, desk.url, desk.key).fleet("enrol", "esim-0001")
    assert enrolled.exit_code == 2
    assert "right centre" in enrolled.output
    assert desk.admin().organisation() == before


def test_a_changed_wording_of_the_same_survey_version_is_refused(
    desk: Desk, county: County
) -> None:
    assert desk.fleet("publish", "esim-0001").exit_code == 0
    with (county.root / "surveys/full.toml").open("a") as file:
        file.write('[texts.fi]\n"nps.question" = "Suosittelisitko?"\n')
    done = desk.fleet("publish", root=county.root)
    assert done.exit_code == 1
    assert "409" in done.output
    county.edit("surveys/full.toml", "version = 1", "version = 2")
    assert desk.fleet("publish", root=county.root).exit_code == 0


def test_a_stranger_s_key_is_refused_with_the_way_to_register_it(
    desk: Desk, tmp_path: Path
) -> None:
    keys.make(tmp_path / "keys", "operator")
    done = Desk(tmp_path, desk.url, desk.key).fleet("status")
    assert done.exit_code == 1
    assert "add-operator" in done.output


def test_status_lists_devices_and_refuses_unknown_ones(desk: Desk) -> None:
    assert desk.fleet("publish").exit_code == 0
    table = desk.fleet("status").output.splitlines()
    assert table[0].split()[:4] == ["device", "place", "state", "configuration"]
    assert table[0].split()[4:] == ["since", "seen", "outbox", "remarks"]
    assert [row.split()[0] for row in table[1:11]] == [f"esim-{n:04}" for n in range(1, 11)]
    one = json.loads(desk.fleet("status", "esim-0004", "--format", "json").stdout)
    assert [row["id"] for row in one] == ["esim-0004"]
    assert desk.fleet("status", "esim-0777").exit_code == 1


def test_a_proxy_or_netrc_of_the_environment_is_not_used(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert desk.fleet("status").exit_code == 0


# --- what else may answer -------------------------------------------------------------------------


@dataclass
class Elsewhere:
    """A small real HTTP server that answers as it is told and remembers what it was asked."""

    answer: Callable[[str, str, bytes], tuple[int, bytes]]
    asked: list[tuple[str, str, bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    state = Elsewhere(lambda *_: (200, b"{}"))

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, body, dict(self.headers)))
            status, content = state.answer(self.command, self.path, body)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", state.url + "/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            # Whoever asked may have had enough.
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b"<html>please log in</html>"),
        (200, b"[1]"),
        (302, b""),
        (404, b"<html>not found</html>"),
        (502, b"bad gateway"),
        (200, b"[" * 100_000),
    ],
)
def test_what_is_no_centre_counts_as_not_reached(
    elsewhere: Elsewhere, status: int, content: bytes
) -> None:
    elsewhere.answer = lambda *_: (status, content)
    admin = Admin(elsewhere.url, Ed25519PrivateKey.generate())
    with admin, pytest.raises(UnreachableError):
        admin.organisation()
    assert len(elsewhere.asked) == 1  # a redirect is not followed


def test_nobody_listening_ends_with_3(tmp_path: Path) -> None:
    keys.make(tmp_path / "keys", "operator")
    done = Desk(tmp_path, "http://127.0.0.1:1", Ed25519PrivateKey.generate()).fleet("status")
    assert done.exit_code == 3
    assert "Connection refused" in done.output


def test_a_slow_centre_is_given_up_on(elsewhere: Elsewhere) -> None:
    wait = threading.Event()

    def never(*_: object) -> tuple[int, bytes]:
        wait.wait(10)
        return 200, b"{}"

    elsewhere.answer = never
    admin = Admin(elsewhere.url, Ed25519PrivateKey.generate(), timeouts=(0.2, 0.2))
    with admin, pytest.raises(UnreachableError, match="no answer in time"):
        admin.devices()
    wait.set()


def test_requests_are_signed_over_the_whole_path(elsewhere: Elsewhere) -> None:
    key = Ed25519PrivateKey.generate()
    with Admin(elsewhere.url + "/hymio/", key) as admin:
        admin.put_organisation({"id": "x"})
    method, path, body, headers = elsewhere.asked[0]
    assert path == "/hymio/v1/admin/organisation"
    public = bundles.key_text(key.public_key())
    assert verify(method, path, headers, body, known=lambda k: k == public) == public


def test_two_administrators_at_once_take_one_version_each(elsewhere: Elsewhere) -> None:
    """The other one publishes between our look and our upload: we look again and take the next."""
    key = Ed25519PrivateKey.generate()
    highest = {"esim-0001": 4}

    def centre(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if method == "GET":
            found = dict(highest)
            highest["esim-0001"] = max(highest["esim-0001"], 7)
            return 200, json.dumps({"centre": "c", "key": "", "versions": found}).encode()
        if path.endswith("/bundle"):
            offered = bundles.unpack(body, trusted=(bundles.key_text(key.public_key()),)).version
            if offered <= highest["esim-0001"]:
                return 409, b'{"code": "conflict", "status": 409, "detail": "highest is 7"}'
            highest["esim-0001"] = offered
        return 200, b"{}"

    elsewhere.answer = centre
    tree = Tree.load(EXAMPLE)
    with Admin(elsewhere.url, Ed25519PrivateKey.generate()) as admin:
        found = publish.bundles(tree, ["esim-0001"])
        assert publish.publish(tree, found, admin, key) == {"esim-0001": 8}


def test_a_conflict_that_stays_is_told(elsewhere: Elsewhere) -> None:
    elsewhere.answer = lambda method, path, _: (
        (409, b'{"code": "conflict", "detail": "no"}') if path.endswith("/bundle") else (200, b"{}")
    )
    tree = Tree.load(EXAMPLE)
    found = publish.bundles(tree, ["esim-0001"])
    admin = Admin(elsewhere.url, Ed25519PrivateKey.generate())
    with admin, pytest.raises(RefusedError) as caught:
        publish.publish(tree, found, admin, Ed25519PrivateKey.generate())
    assert (caught.value.status, caught.value.code) == (409, "conflict")
    puts = [path for _, path, _, _ in elsewhere.asked if path.endswith("/bundle")]
    assert len(puts) == publish.ATTEMPTS


@pytest.mark.parametrize("url", ["http://centre.example", "ftp://x", "https:/x", ""])
def test_an_address_that_is_not_safe_is_wrong_use(tmp_path: Path, county: County, url: str) -> None:
    keys.make(tmp_path / "keys", "operator")
    if not url:
        county.edit("organisation.toml", 'url = "https://palaute.esimerkki.example"', "")
    done = Desk(tmp_path, url, Ed25519PrivateKey.generate()).fleet("status", root=county.root)
    assert done.exit_code == 2, done.output


# --- keys and codes -------------------------------------------------------------------------------


def test_keys_are_for_their_owner_alone_and_never_overwritten(tmp_path: Path) -> None:
    words = ["keygen", "--keys", str(tmp_path / "keys")]
    assert CliRunner().invoke(fleet, words).exit_code == 0
    first = {p.name: p.read_bytes() for p in (tmp_path / "keys").iterdir()}
    assert set(first) == {f"{n}.{e}" for n in ("organisation", "operator") for e in ("key", "pub")}
    for name in ("organisation", "operator"):
        assert (tmp_path / "keys" / f"{name}.key").stat().st_mode & 0o777 == 0o600
        public = (tmp_path / "keys" / f"{name}.pub").read_text().strip()
        private = keys.read(tmp_path / "keys", name)
        assert public == bundles.key_text(private.public_key())
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    again = CliRunner().invoke(fleet, words)
    assert again.exit_code == 0
    assert "was there already" in again.output
    assert {p.name: p.read_bytes() for p in (tmp_path / "keys").iterdir()} == first


def test_keygen_prints_no_secret(tmp_path: Path) -> None:
    done = CliRunner().invoke(fleet, ["keygen", "--keys", str(tmp_path), "--format", "json"])
    secret = (tmp_path / "operator.key").read_text().splitlines()[1]
    assert secret not in done.output
    told = json.loads(done.stdout)
    assert told["operator"]["public"] == (tmp_path / "operator.pub").read_text().strip()
    assert told["operator"]["new"]


def test_keygen_can_be_tried_without_writing(tmp_path: Path) -> None:
    done = CliRunner().invoke(fleet, ["keygen", "--keys", str(tmp_path / "k"), "--dry-run"])
    assert (done.exit_code, (tmp_path / "k").exists()) == (0, False)


def test_a_key_others_can_read_is_not_used(tmp_path: Path) -> None:
    keys.make(tmp_path, "operator")
    (tmp_path / "operator.key").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        keys.read(tmp_path, "operator")


@pytest.mark.parametrize("content", [b"", b"not a key", b"\xff\xfe"])
def test_a_file_that_is_no_key_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "operator.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="not a private key"):
        keys.read(tmp_path, "operator")


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "http://127.0.0.1:1", Ed25519PrivateKey.generate())
    done = desk.fleet("publish")
    assert done.exit_code == 2
    assert "have it from the administrator who made it" in done.output, "not one more of them"
    done = desk.fleet("status")
    assert done.exit_code == 2
    assert "hymio fleet keygen --only operator" in done.output


def test_the_key_folder_can_say_which_key_is_the_organisation_s(desk: Desk, county: County) -> None:
    other = bundles.key_text(Ed25519PrivateKey.generate().public_key())
    county.write("keys/organisation.pub", other + "\n")
    done = desk.fleet("publish", root=county.root)
    assert done.exit_code == 2
    assert "names another key" in done.output


@pytest.mark.parametrize(("text", "hours"), [("72h", 72), ("30d", 720), ("90m", 1.5)])
def test_lifetimes(text: str, hours: float) -> None:
    assert enrol.lifetime(text) == dt.timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "72", "0h", "31d", "-1h", "1w", "99999d", "1.5h"])
def test_lifetimes_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|at most"):
        enrol.lifetime(text)
    done = CliRunner().invoke(
        fleet, ["enrol", "esim-0001", "--root", str(EXAMPLE), "--valid", text]
    )
    assert done.exit_code == 2


def test_every_command_helps_without_doing_anything(tmp_path: Path) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        for name in ["", *fleet.commands]:
            done = CliRunner().invoke(fleet, [*name.split(), "--help"])
            assert done.exit_code == 0
            assert "Usage:" in done.output
        assert list(tmp_path.iterdir()) == []
    finally:
        os.chdir(here)
