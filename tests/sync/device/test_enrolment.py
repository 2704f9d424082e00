"""From a code to a known device, the configuration it then gets, and the two commands."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import bundle
from sync.contract.bundle import key_text
from sync.datadir import DataDir, write_json
from tests.faults.house import example
from tests.sync.collector.world import Centre, running
from tests.sync.device.conftest import Field
from tests.sync.device.fake import FakeCentre, dead_port, enrolled, problem

ORGANISATION = Ed25519PrivateKey.generate()
NEXT = Ed25519PrivateKey.generate()
PINNED = key_text(ORGANISATION.public_key())


def told(device: Field) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(device.data.sender_json.read_text())
    return found


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "code_unknown", "does not know this code"),
        (409, "code_used", "another device has used this code"),
        (410, "code_expired", "no longer valid"),
    ],
)
def test_a_code_that_does_not_work_is_explained_and_not_tried_again(
    device: Field, centre: FakeCentre, status: int, code: str, words: str
) -> None:
    asked = []

    def refuse(body: dict[str, Any]) -> Any:
        asked.append(body["code"])
        return problem(status, code)

    centre.enrol = refuse
    device.run(seconds=500)
    assert (device.sender.state, len(asked)) == ("refused", 1)
    assert words in told(device)["reason"]
    centre.enrol = enrolled
    device.wish(code="AAAA-BBBB-CCCC")
    device.run(seconds=5)
    assert told(device)["device"] == "d1"
    assert device.sender.state in ("ok", "starting")


def test_a_lost_reply_and_a_portal_are_tried_again_with_the_same_key(
    device: Field, centre: FakeCentre
) -> None:
    keys = []
    answers = [(200, {"Content-Length": "900"}, b"{"), (200, {}, b"<html>"), (500, {}, b"")]

    def unsure(body: dict[str, Any]) -> Any:
        keys.append(body["public_key"])
        return answers.pop() if answers else enrolled(body)

    centre.enrol = unsure
    device.run(seconds=600)
    assert told(device)["device"] == "d1"
    assert len(keys) == 4
    assert len(set(keys)) == 1
    assert device.data.key.stat().st_mode & 0o777 == 0o600


def test_another_organisations_key_than_the_labels_is_refused(
    device: Field, centre: FakeCentre
) -> None:
    device.wish(organisation_key=PINNED)
    centre.enrol = lambda body: enrolled(body, key_text(NEXT.public_key()))
    device.run(seconds=5)
    assert device.sender.state == "refused"
    assert "another organisation" in device.sender.reason
    assert (told(device)["device"], told(device)["trusted"]) == ("", [])


def test_a_typed_code_pins_the_key_on_first_use_and_shows_it(
    device: Field, centre: FakeCentre
) -> None:
    centre.enrol = lambda body: enrolled(body, PINNED)
    device.run(seconds=5)
    assert told(device)["trusted"] == [PINNED]
    assert told(device)["fingerprint"] == bundle.fingerprint(PINNED)


@pytest.mark.parametrize("endpoint", ["http://feedback.example", "ftp://x", "feedback", "", 7])
def test_an_address_without_encryption_is_refused(device: Field, endpoint: object) -> None:
    device.wish(endpoint=endpoint)
    device.run(seconds=5)
    assert device.sender.state == "refused"
    assert not device.data.key.exists()


def test_a_file_that_cannot_be_read_for_a_while_is_read_again(
    device: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, read, tried = [True], Path.read_bytes, []

    def read_bytes(path: Path) -> bytes:
        if path.name == "enrol.json":
            tried.append(path)
            if failing[0]:
                raise OSError(errno.EIO, "Input/output error")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    device.run(seconds=300)
    assert device.sender.state == "waiting"
    assert "enrol.json cannot be read" in told(device)["reason"]
    assert 3 < len(tried) < 60, "it neither gives up nor spins"
    failing[0] = False
    device.run(seconds=70)
    assert told(device)["device"] == "d1"


def test_a_wrong_place_is_given_back(device: Field, centre: FakeCentre) -> None:
    asked = []
    centre.enrol = lambda body: (asked.append(body["release"]), enrolled(body))[1]
    device.run(seconds=5)
    device.wish(release=True)
    device.run(seconds=5)
    assert asked == [False, True]
    assert (told(device)["device"], device.sender.state) == ("", "not-enrolled")


def test_a_later_code_that_fails_leaves_the_device_enrolled(
    device: Field, centre: FakeCentre
) -> None:
    device.run(seconds=5)
    device.wish(code="NEW", endpoint=f"http://127.0.0.1:{dead_port()}")
    device.commit(3)
    device.wait()
    assert told(device)["enrolment"]["state"] == "unreachable"


# --- configuration --------------------------------------------------------------------------------


def packed(version: int, key: Ed25519PrivateKey = ORGANISATION, **changes: Any) -> bytes:
    return bundle.pack(
        msgspec.structs.replace(example(1), device="d1", version=version, **changes)
        if "device" not in changes
        else msgspec.structs.replace(example(1), version=version, **changes),
        key,
    )


def publish(device: Field, centre: FakeCentre, version: int, raw: bytes) -> None:
    centre.config = (200, {"ETag": f'"{version}-{len(raw)}"'}, raw)
    centre.config_version = version
    device.now += 4000
    device.run(seconds=60)


@pytest.fixture
def configured(device: Field, centre: FakeCentre) -> Field:
    centre.enrol = lambda body: enrolled(body, PINNED, config=3)
    centre.config = (200, {"ETag": '"3"'}, packed(3))
    centre.config_version = 3
    device.run(seconds=60)
    assert told(device)["config"] == 3
    return device


def test_a_configuration_is_fetched_once(configured: Field, centre: FakeCentre) -> None:
    assert configured.data.bundle_file(3).read_bytes() == packed(3)
    asked = len(centre.config_asked)
    configured.run(seconds=4000)
    assert len(centre.config_asked) == asked
    publish(configured, centre, 4, packed(4))
    assert centre.config_asked[-1] == '"3"'
    assert told(configured)["config"] == 4


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (packed(5, Ed25519PrivateKey.generate()), "does not trust"),
        (packed(5, device="d2"), "is for d2"),
        (packed(2), "older than 3"),
        (packed(5)[:-40], "damaged"),
        (b"<html>", "damaged"),
    ],
)
def test_what_is_not_ours_is_refused_and_the_reason_told(
    configured: Field, centre: FakeCentre, raw: bytes, words: str
) -> None:
    publish(configured, centre, 5, raw)
    assert told(configured)["config"] == 3
    assert words in told(configured)["config_refused"]
    assert [p.name for p in configured.data.config_dir.glob("*")] == ["3.bundle"]
    configured.now += 400
    configured.run(seconds=10)
    (refused,) = centre.batches[-1]["status"]["refused"]
    assert refused["version"] == 5
    assert words in refused["reason"]
    configured.commit(2)
    configured.wait(seconds=400)
    publish(configured, centre, 6, packed(6))
    assert (told(configured)["config"], told(configured)["config_refused"]) == (6, "")


def test_the_keys_follow_each_other(configured: Field, centre: FakeCentre) -> None:
    following = (key_text(NEXT.public_key()),)
    publish(configured, centre, 4, packed(4, next_keys=following))
    assert told(configured)["trusted"] == [PINNED, *following]
    publish(configured, centre, 5, packed(5, NEXT))
    assert told(configured)["trusted"] == list(following)
    publish(configured, centre, 6, packed(6, ORGANISATION))
    assert told(configured)["config"] == 5, "the old key is let go of"


# --- commands -------------------------------------------------------------------------------------


def hymio(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kiosk.cli", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_once_says_what_it_did_and_the_ledger_adds_up(device: Field, centre: FakeCentre) -> None:
    device.commit(7)
    root = str(device.data.root)
    done = hymio("sync", "--data", root, "--once")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "all is at the centre")
    device.commit(3)
    found = json.loads(hymio("ledger", "--data", root, "--format", "json").stdout)
    assert found["total"]["created"] == 10
    assert (found["total"]["acknowledged"], found["total"]["to_send"]) == (7, 3)
    assert found["total"]["oldest_unsent"]
    table = hymio("ledger", "--data", root).stdout.splitlines()
    assert table[0].split()[:3] == ["epoch", "created", "acknowledged"]
    assert table[-1].split() == ["total", "10", "7", "0", "0", "0", "3"]
    centre.close()
    late = hymio("sync", "--data", root, "--once")
    assert late.returncode == 3
    assert "3 records wait, the oldest from 20" in late.stderr
    assert "unreachable since" in late.stderr


def test_once_where_nobody_has_confirmed_the_place(device: Field, centre: FakeCentre) -> None:
    device.wish(confirmed=False)
    device.commit(2)
    done = hymio("sync", "--data", str(device.data.root), "--once")
    assert done.returncode == 1
    assert "nobody has said yet that this is the right place; 2 records wait" in done.stderr


def test_once_where_everything_is_to_be_erased(configured: Field, centre: FakeCentre) -> None:
    publish(configured, centre, 4, packed(4, wipe=True))
    configured.commit(2)
    configured.recorder.close()
    configured.close()
    root = configured.data.root
    done = hymio("sync", "--data", str(root), "--once")
    assert (done.returncode, "once the terminal has closed its outbox" in done.stderr) == (0, True)
    assert configured.data.key.exists() and len(centre.records()) == 2
    write_json(configured.data.terminal_json, {"state": "wiped"})
    done = hymio("sync", "--data", str(root), "--once")
    assert (done.returncode, "erased once" in done.stderr) == (0, False), done.stderr
    assert not configured.data.key.exists()


def test_once_without_a_code_and_without_a_directory(tmp_path: Path) -> None:
    done = hymio("sync", "--data", str(tmp_path / "new"), "--once")
    assert done.returncode == 3
    assert "no code yet" in done.stderr
    assert hymio("ledger", "--data", str(tmp_path / "none")).returncode == 2
    (tmp_path / "file").write_text("")
    assert hymio("sync", "--data", str(tmp_path / "file" / "x"), "--once").returncode == 1


def test_sigterm_during_an_exchange_ends_it_at_once(device: Field, centre: FakeCentre) -> None:
    device.commit(1)
    centre.drip_s = 1.0
    child = subprocess.Popen(
        [sys.executable, "-m", "kiosk.cli", "sync", "--data", str(device.data.root)],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not centre.keys and time.monotonic() < until:
        time.sleep(0.02)
    # The reply to what was asked takes a second for each of its bytes, and is given up after 60.
    assert centre.keys
    child.terminate()
    assert child.wait(30) == 0


# --- the real centre ------------------------------------------------------------------------------


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Centre]:
    with running(str(tmp_path / "centre.db")) as found:
        found.set_up("d1", "d2")
        yield found


def test_enrolment_release_and_revocation_at_the_real_centre(
    real: Centre, make: Callable[..., Field]
) -> None:
    device = make(url=f"http://127.0.0.1:{real.port}")
    organisation = key_text(real.organisation.public_key())
    code = real.code("d1")
    device.wish(code=code, organisation_key=organisation)
    device.commit(20)
    device.run(seconds=5)
    assert device.ledger()["acknowledged"] == 20
    other = make("other", url=device.url)
    other.wish(code=code, organisation_key=organisation)
    other.run(seconds=5)
    assert "another device has used" in other.sender.reason
    other.wish(code=real.code("d2"))
    other.run(seconds=5)
    other.wish(code="XXXX", release=True)
    other.run(seconds=5)
    assert "does not know this code" in told(other)["enrolment"]["reason"]
    assert real.admin("POST", "devices/d1/revoke", {"reason": "stolen"}).status == 200
    device.commit(5)
    device.now += 60
    device.run(seconds=5)
    assert device.sender.state == "revoked"
    assert device.ledger()["to_send"] == 5
    assert DataDir(device.data.root).key.exists()
