"""Keys that change, devices that erase themselves, answers that count elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.fleet import keys, rotate_commands
from kiosk.fleet.rotation import Rotation
from sync.contract import bundle as bundles
from sync.contract import code as codes
from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import SEEN, Office
from tests.sync.collector.world import Device, answer, item


def newest(office: Office, device: str, *trusted: str) -> bundles.Bundle:
    """What a device that trusts these keys makes of its configuration."""
    with office.admin() as admin:
        raw = admin.bundle(device)
    assert raw is not None
    return bundles.unpack(raw, trusted=trusted, device=device)


def confirm(office: Office, terminal: Device) -> None:
    terminal.send([], status=SEEN | {"config": office.versions()[terminal.name]})


# --- the organisation's key -----------------------------------------------------------------------


def test_the_organisation_s_key_changes_without_losing_a_device(published: Office) -> None:
    old = published.organisation
    terminals = [published.enrolled(f"esim-000{n}") for n in (1, 2)]
    told = published.ok("rotate", "--organisation")
    assert "now: hymio fleet publish" in told
    new = keys.read_public(published.county.root / "keys/next.pub")
    assert published.organisation == old, "nothing signs with the new one yet"

    early = published.fleet("rotate", "--organisation", "--yes")
    assert early.exit_code == 1
    assert "esim-0001 is not published with the new key yet" in early.output

    published.ok("publish")
    assert newest(published, "esim-0001", old).next_keys == (new,)
    confirm(published, terminals[0])
    late = published.fleet("rotate", "--organisation", "--yes")
    assert late.exit_code == 1
    assert "esim-0001" not in late.output
    assert "esim-0002 has configuration 1, 2 pins the key" in late.output

    confirm(published, terminals[1])
    swapped = published.ok("rotate", "--organisation", "--yes")
    assert bundles.fingerprint(new) in swapped
    assert published.organisation == new
    with published.admin() as admin:
        assert admin.organisation()["key"] == new
    for device in ("esim-0001", "esim-0002", "esim-0003"):
        assert newest(published, device, new).next_keys == (), "a device that pinned it takes it"
    assert not (published.county.root / "keys/next.pub").exists()
    assert sorted(path.name for path in published.keys.glob("*.key")) == [
        "operator.key",
        "organisation.key",
        "previous.key",
    ]
    assert published.json("publish")["versions"] == {}


def test_devices_are_left_behind_only_when_somebody_says_so(published: Office) -> None:
    published.enrolled("esim-0001")
    published.ok("enrol", "esim-0002")
    published.ok("rotate", "--organisation")
    told = published.ok("rotate", "--organisation", "--yes", "--force")
    assert "esim-0001 is left behind: enrol it anew" in told
    assert "labels made before do not fit any more: new ones for esim-0002" in told


def test_a_dry_run_changes_no_key(published: Office) -> None:
    before = {path.name: path.read_bytes() for path in published.keys.iterdir()}
    published.ok("rotate", "--organisation", "--dry-run")
    assert not (published.county.root / "keys/next.pub").exists()
    published.ok("rotate", "--organisation")
    published.ok("publish")
    after = {path.name: path.read_bytes() for path in published.keys.iterdir()}
    published.ok("rotate", "--organisation", "--dry-run")
    assert {path.name: path.read_bytes() for path in published.keys.iterdir()} == after
    assert before.items() <= after.items()


def test_nobody_there_to_say_yes_changes_no_key(published: Office) -> None:
    published.ok("rotate", "--organisation")
    published.ok("publish")
    assert published.fleet("rotate", "--organisation").exit_code == 2
    assert (published.keys / "next.key").exists()


@pytest.mark.parametrize("cut", ["centre told", "key replaced", "all but published"])
def test_a_power_cut_in_the_change_is_gone_on_from(
    published: Office, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    terminal = published.enrolled("esim-0001")
    published.ok("rotate", "--organisation")
    new = keys.read_public(published.county.root / "keys/next.pub")
    published.ok("publish")
    confirm(published, terminal)

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if cut == "all but published":
        monkeypatch.setattr(rotate_commands.publishing, "carry_out", stop)
    elif cut == "key replaced":
        monkeypatch.setattr(keys, "read", _fails_on_second_read(keys.read))
    else:
        monkeypatch.setattr("kiosk.fleet.rotation.write_bytes", stop)
    assert published.fleet("rotate", "--organisation", "--yes").exit_code == 1
    monkeypatch.undo()
    with published.admin() as admin:
        assert admin.organisation()["key"] == new
    # A change meanwhile must not bar the way: it cannot be published with either key.
    published.edit("rename", "esim-0001", "--name", "Aula")
    if cut != "all but published":
        published.ok("rotate", "--organisation", "--yes")
    published.ok("publish")
    assert published.organisation == new
    assert newest(published, "esim-0003", new).next_keys == ()


def _fails_on_second_read(real: object) -> object:
    """The organisation's key is read again only after it was replaced."""

    def read(folder: Path, name: str) -> object:
        if name == "organisation" and not (folder / "next.key").exists():
            raise KeyboardInterrupt
        return real(folder, name)  # type: ignore[operator]

    return read


def test_a_key_announced_at_another_desk_is_not_taken_for_ours(
    published: Office, tmp_path: Path
) -> None:
    published.ok("rotate", "--organisation")
    pekka = published.colleague(tmp_path / "pekka", published.county)
    done = pekka.fleet("rotate", "--organisation", "--yes")
    assert done.exit_code == 2
    assert "finish at the desk that has it" in done.output


def test_only_devices_in_use_are_waited_for(published: Office) -> None:
    rotation = Rotation(published.keys, publish_tree(published.county), {"digests": {}})
    rows = [
        {"id": "esim-0001", "state": "expected"},
        {"id": "esim-0002", "state": "revoked"},
        {"id": "esim-0003", "state": "active", "standing": "wiped"},
        {"id": "esim-0099", "state": "active"},
    ]
    assert list(rotation.behind(rows)) == ["esim-0099"]


def publish_tree(county: County) -> rotate_commands.publishing.Tree:
    return rotate_commands.publishing.sound_tree(county.root)


# --- a device's key, and the end ------------------------------------------------------------------


def test_a_device_makes_a_new_key_with_its_next_configuration(published: Office) -> None:
    dry = published.ok("rotate", "esim-0001", "esim-0002", "--dry-run")
    assert "+key_generation = 1" in dry
    assert published.json("publish")["versions"] == {}
    told = published.ok("rotate", "esim-0001")
    assert told.endswith("now: hymio fleet publish esim-0001\n")
    published.ok("publish")
    assert newest(published, "esim-0001", published.organisation).key_generation == 1
    assert published.fleet("rotate").exit_code == 2
    assert published.fleet("rotate", "esim-0001", "--organisation").exit_code == 2
    assert published.fleet("rotate", "esim-0777").exit_code == 2


def test_a_wipe_is_asked_for_ordered_and_seen(published: Office) -> None:
    terminal = published.enrolled("esim-0001")
    assert published.fleet("wipe", "esim-0001").exit_code == 2, "nobody said yes"
    assert "+wipe = true" in published.ok("wipe", "esim-0001", "--dry-run")
    assert not newest(published, "esim-0001", published.organisation).wipe
    told = published.ok("wipe", "esim-0001", "--yes")
    assert told == "esim-0001: erases itself once all is sent (configuration 2)\n"
    assert newest(published, "esim-0001", published.organisation).wipe
    confirm(published, terminal)
    assert "wiped" in published.ok("status", "esim-0001")
    assert published.json("wipe", "esim-0001", "--yes")["versions"] == {}, "said twice, done once"


def test_a_wipe_can_be_taken_back(published: Office) -> None:
    assert published.ok("wipe", "esim-0001", "--cancel") == "esim-0001: no order to wipe stands\n"
    published.ok("wipe", "esim-0001", "--yes")
    published.ok("wipe", "esim-0001", "--cancel")
    assert not newest(published, "esim-0001", published.organisation).wipe


# --- corrections ----------------------------------------------------------------------------------

THERE = ("--device", "esim-0001", "--location", "0007", "--reason", "siirretty")


def test_a_device_carried_away_is_corrected_and_the_correction_withdrawn(
    published: Office,
) -> None:
    window = ("--from", "2026-03-01", "--to", "2026-03-05")
    start = "esim-0001 from 2026-03-01 to 2026-03-05: "
    none = "no answers there that counted elsewhere; those still to come would count for 0007\n"
    assert published.ok("correct", *THERE, *window, "--dry-run") == start + none
    terminal = published.enrolled("esim-0001")
    given = [("a", "nps"), ("a", "heard"), ("b", "nps")]
    terminal.send([
        item(n, answer(visit, question, 1, 4, location="0003"))
        for n, (visit, question) in enumerate(given, 1)
    ])  # fmt: skip
    told = published.ok("correct", *THERE, *window, "--dry-run")
    assert told == start + "2 visits, 3 answers would count for 0007 instead of 0003\n"
    dry = published.json("correct", *THERE, *window, "--dry-run")
    assert (dry["dry_run"], dry["id"], dry["answers"]) == (True, 0, 3)
    assert published.ok("corrections") == "no corrections\n"
    told = published.ok("correct", *THERE, *window)
    assert told.startswith(start + "2 visits, 3 answers count for 0007 instead of 0003\n")
    (made,) = published.json("corrections")
    assert (made["device"], made["location"], made["by"]) == ("esim-0001", "0007", "maija")
    assert made["reason"] == "siirretty"
    number = str(made["id"])
    assert f"--withdraw {number}\n" in told
    assert published.fleet("corrections", "--withdraw", number).exit_code == 2
    published.ok("corrections", "--withdraw", number, "--yes")
    assert "taken back by maija" in published.ok("corrections", "--device", "esim-0001")
    assert published.ok("corrections", "--device", "esim-0002") == "no corrections\n"
    assert published.fleet("corrections", "--withdraw", "999", "--yes").exit_code == 1
    assert {"correction.add", "correction.withdraw"} <= {what for _, what in published.audited()}


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2026-03-05", "2026-03-01", "is before"),
        ("last week", "2026-03-01", "neither a day"),
        ("2026-03-01T10:00", "2026-03-02", "time with offset"),
        ("2026-02-30", "2026-03-02", "neither a day"),
        ("2026-03-01T10:00+02:00", "2026-03-01T07:00Z", "is before"),
    ],
)
def test_a_window_that_is_none_is_wrong_use(
    office: Office, since: str, until: str, said: str
) -> None:
    done = office.fleet("correct", *THERE, "--from", since, "--to", until)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_a_place_that_is_none_is_wrong_use(office: Office) -> None:
    words = ("--device", "esim-0001", "--location", "0008", "--reason", "x")
    done = office.fleet("correct", *words, "--from", "2026-03-01", "--to", "2026-03-02")
    assert done.exit_code == 2
    assert "there is no place 0008" in done.output


def test_a_code_made_before_a_change_of_keys_is_found_out(published: Office) -> None:
    code = published.json("enrol", "esim-0003")["code"]
    published.ok("rotate", "--organisation")
    published.ok("publish")
    published.ok("rotate", "--organisation", "--yes")
    assert not codes.holds(code, published.organisation)
    assert codes.holds(published.json("enrol", "esim-0003")["code"], published.organisation)


def test_a_correction_there_never_was_is_said_and_no_more(published: Office) -> None:
    done = published.fleet("corrections", "--withdraw", "7", "--yes")
    assert done.exit_code == 1
    assert done.output.endswith("no correction 7\n"), "publishing would not help"
