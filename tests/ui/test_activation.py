"""Configurations the sender leaves: the newest good one counts, a bad one is refused and named."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.ui.activation import Activation
from kiosk.ui.door import Door, interrupted
from kiosk.ui.fallback import fallback_bundle
from kiosk.wording import wording
from sync.contract.bundle import Bundle, key_text, pack
from sync.datadir import DataDir, write_json
from tests.ui.stage import Stage, bundle

KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    found = DataDir(tmp_path)
    found.create()
    return found


def leave(
    data: DataDir, version: int, *, key: Ed25519PrivateKey = KEY, name: int = 0, **fields: object
) -> Bundle:
    config = msgspec.structs.replace(bundle(), version=version, **fields)
    data.bundle_file(name or version).write_bytes(pack(config, key))
    # Folders keep time in ticks: what is written within one must be seen too.
    os.utime(data.config_dir, ns=(version, version))
    return config


def test_the_newest_is_taken_and_only_once(data: DataDir) -> None:
    activation = Activation(data, bundle())
    leave(data, 3)
    leave(data, 5)
    found = activation.newer()
    assert found is not None and found.version == 5
    assert activation.newer() is None
    leave(data, 4)
    assert activation.newer() is None


def test_one_older_than_the_program_gets_the_words_it_lacks(data: DataDir) -> None:
    old = {
        language: {
            key: text
            for key, text in texts.items()
            if "spoken" not in key and not key.startswith("statement.s07")
        }
        for language, texts in bundle().texts.items()
    }
    old["fi"]["nps.question"] = "Suosittelisitko meitä/palvelua?"
    leave(data, 3, texts=old)
    found = Activation(data, bundle()).newer()
    assert found is not None
    assert found.text("ar", "spoken.help") == wording("ar")["spoken.help"]
    # What is said aloud is what is written: not the sentence of another question.
    assert "nps.question.spoken" not in found.texts["fi"]
    assert found.texts["sv"]["nps.question.spoken"] == wording("sv")["nps.question.spoken"]
    assert "statement.s04.spoken" in found.texts["fi"]
    assert not [key for key in found.texts["fi"] if key.startswith("statement.s07")]


def test_a_bad_one_is_refused_with_its_reason_and_the_next_best_taken(data: DataDir) -> None:
    activation = Activation(data, bundle())
    leave(data, 3)
    data.bundle_file(9).write_bytes(b"{")
    leave(data, 8, device="esim-0002")
    found = activation.newer()
    assert found is not None and found.version == 3
    assert {entry["version"] for entry in activation.refused} == {8, 9}
    assert any("esim-0002" in str(entry["reason"]) for entry in activation.refused)


def test_the_first_one_too_must_be_signed_by_a_key_the_sender_pinned(data: DataDir) -> None:
    write_json(data.sender_json, {"trusted": [key_text(KEY.public_key())]})
    leave(data, 3, key=OTHER)
    activation = Activation(data, bundle())
    assert activation.newer() is None
    assert "does not trust" in str(activation.refused[0]["reason"])
    leave(data, 4)
    found = activation.newer()
    assert found is not None and found.version == 4


def test_a_changed_payload_is_refused(data: DataDir) -> None:
    leave(data, 3)
    raw = data.bundle_file(3).read_bytes()
    box = msgspec.json.decode(raw)
    other = msgspec.json.decode(pack(msgspec.structs.replace(bundle(), version=3), OTHER))
    box["signature"] = other["signature"]
    data.bundle_file(3).write_bytes(msgspec.json.encode(box))
    activation = Activation(data, bundle())
    assert activation.newer() is None
    assert "signature" in str(activation.refused[0]["reason"])


def test_the_version_inside_counts(data: DataDir) -> None:
    leave(data, 3, name=7)
    activation = Activation(data, bundle())
    assert activation.newer() is None
    assert activation.refused[0]["version"] == 7


def test_the_chain_of_keys_is_held(data: DataDir) -> None:
    activation = Activation(data, bundle())
    leave(data, 2)
    assert activation.newer() is not None
    leave(data, 3, key=OTHER)
    assert activation.newer() is None
    leave(data, 4, next_keys=(key_text(OTHER.public_key()),))
    assert activation.newer() is not None
    leave(data, 5, key=OTHER)
    found = activation.newer()
    assert found is not None and found.version == 5


def test_without_a_configuration_the_first_one_that_comes_is_used(data: DataDir) -> None:
    activation = Activation(data, fallback_bundle())
    assert activation.newer() is None
    leave(data, 1)
    assert activation.newer() is not None


def test_a_configuration_comes_between_visits() -> None:
    stage = Stage()
    stage.tap("nps.5")
    assert not stage.flow.pristine
    stage.flow.close()
    stage.wait(60)
    assert stage.flow.pristine


def test_a_shut_door_accepts_nothing_and_opens_with_a_configuration(data: DataDir) -> None:
    door = Door(data, fallback_bundle(), shut="no configuration")
    assert not door.accepting
    door.tend(None)
    assert not door.accepting
    door.use(bundle())
    assert door.accepting
    assert door.reason == ""
    door.close()


def test_an_outbox_another_process_holds_is_tried_again(data: DataDir) -> None:
    first = Door(data, bundle())
    second = Door(data, bundle())
    assert first.accepting and not second.accepting
    assert second.reason
    first.close()
    second.tend(None)
    assert second.accepting
    second.close()


def test_a_visit_left_open_is_written_off_once(data: DataDir) -> None:
    stage = Stage()
    stage.tap("nps.5")
    stage.tap("face.2")
    door = Door(data, bundle())
    door.commit(*stage.answers)
    door.close()
    for _ in range(2):
        Door(data, bundle()).close()
    end = interrupted(bundle(), stage.answers)
    assert (end.how, end.shown) == ("interrupted", ["nps", "s05"])
    import contextlib
    import sqlite3

    (file,) = data.outbox_dir.glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as db:
        rows = [bytes(raw) for (raw,) in db.execute("select rec from records")]
    assert sum(b'"interrupted"' in row for row in rows) == 1


def test_what_a_killed_visit_showed_and_withdrew_is_known_from_its_answers() -> None:
    rotated = msgspec.structs.replace(
        bundle(), survey=msgspec.structs.replace(bundle().survey, selection="rotated")
    )
    stage = Stage()
    stage.tap("nps.5")
    stage.tap("face.2")
    first, second = stage.answers
    later = msgspec.structs.replace(first.at, boottime_ms=first.at.boottime_ms + 7000)
    withdrawn = msgspec.structs.replace(second, n=3, value=None, at=later)

    end = interrupted(rotated, [first, second, withdrawn])

    assert (end.shown, end.skipped, end.duration_ms) == (["nps", "s05"], ["s05"], 7000)
    other_boot = msgspec.structs.replace(
        withdrawn, at=msgspec.structs.replace(later, boot="another")
    )
    assert interrupted(rotated, [first, other_boot]).duration_ms == 0


# --- by stick -------------------------------------------------------------------------------------


def carried(root: Path, version: int, *, key: Ed25519PrivateKey = KEY, **fields: object) -> Path:
    config = msgspec.structs.replace(bundle(), version=version, **fields)
    folder = root / "hymio" / "esim-0001"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{version}.bundle"
    file.write_bytes(pack(config, key))
    return file


def test_a_newer_one_on_a_stick_is_used_and_kept_once_the_stick_is_gone(
    data: DataDir, tmp_path: Path
) -> None:
    root = tmp_path / "stick"
    carried(root, 9)
    activation = Activation(data, fallback_bundle())
    activation.anew("esim-0001")
    activation.carry(root)
    # Whose key counts is for the sender to say, never for the stick.
    assert activation.newer() is None
    write_json(data.sender_json, {"device": "esim-0001", "trusted": [key_text(KEY.public_key())]})
    activation.carry(root)
    found = activation.newer()
    assert found is not None and found.version == 9
    again = Activation(data, fallback_bundle())
    again.anew("esim-0001")
    found = again.newest()
    assert found is not None and found.version == 9


def test_a_tampered_older_or_foreign_one_on_a_stick_is_never_used(
    data: DataDir, tmp_path: Path
) -> None:
    write_json(data.sender_json, {"device": "esim-0001", "trusted": [key_text(KEY.public_key())]})
    leave(data, 7)
    activation = Activation(data, fallback_bundle())
    activation.anew("esim-0001")
    found = activation.newest()
    assert found is not None and found.version == 7
    root = tmp_path / "stick"
    carried(root, 6)
    carried(root, 11, device="esim-0002")
    carried(root, 12, key=OTHER)
    torn = carried(root, 13)
    torn.write_bytes(torn.read_bytes()[:-40])
    activation.carry(root)
    activation.carry(root)
    assert activation.newer() is None
    assert {entry["version"] for entry in activation.refused} == {11, 12, 13}
    assert all(str(entry["reason"]).startswith("on the stick") for entry in activation.refused)


def test_what_a_stick_brought_is_gone_with_the_device_it_was_for(
    data: DataDir, tmp_path: Path
) -> None:
    write_json(data.sender_json, {"device": "esim-0001", "trusted": [key_text(KEY.public_key())]})
    activation = Activation(data, fallback_bundle())
    activation.anew("esim-0001")
    carried(tmp_path / "stick", 9)
    activation.carry(tmp_path / "stick")
    write_json(data.sender_json, {"device": "", "trusted": []})
    activation.anew("")
    assert activation.newest() is None
