"""publish, as administrators meet it: only what changed, nobody's move undone, seen beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.fleet import fit, publish, told
from kiosk.fleet.cli import fleet
from kiosk.fleet.tree import Tree
from kiosk.layout.measure import FontError
from sync.contract import bundle as bundles
from tests.kiosk.fleet.county import County
from tests.kiosk.fleet.office import Office, few

NAME = 'name = "Aula, pääovi"'


def test_only_what_has_changed_is_published_again(published: Office) -> None:
    assert set(published.versions().values()) == {1}
    again = published.ok("publish")
    assert "esim-0001: unchanged, configuration 1" in again
    assert again.endswith(f"0 devices published at {published.url}, 4 unchanged\n")
    with (published.county.root / "devices/esim-0002.toml").open("a") as file:
        file.write("\n[timing]\nthanks_s = 9\n")
    changed = published.ok("publish")
    assert "esim-0002: configuration 2 published" in changed
    assert "esim-0001: unchanged, configuration 1" in changed
    assert published.json("publish", "--all")["versions"]["esim-0002"] == 3


def test_a_dry_run_shows_each_change_key_by_key_and_makes_none(published: Office) -> None:
    before = published.audited()
    with (published.county.root / "devices/esim-0002.toml").open("a") as file:
        file.write("\n[timing]\nthanks_s = 9\n")
    shown = published.ok("publish", "--dry-run")
    assert "esim-0002: configuration 2 would be published\n  timing.thanks_s: 6.0 → 9.0\n" in shown
    assert shown.endswith(f"1 device would be published at {published.url}, 3 unchanged\n")
    told_json = published.json("publish", "--dry-run")
    change = {"key": "timing.thanks_s", "before": 6.0, "after": 9.0}
    assert told_json["changes"] == {"esim-0002": [change]}
    assert (told_json["dry_run"], told_json["versions"]) == (True, {"esim-0002": 2})
    assert published.audited() == before


def test_a_long_dry_run_is_cut_on_the_screen_and_whole_in_json(published: Office) -> None:
    published.county.edit(
        "devices/esim-0002.toml", 'location = "', 'languages = ["en"]\nlocation = "'
    )
    shown = published.ok("publish", "--dry-run")
    assert "more; --format json has them all" in shown
    assert len(published.json("publish", "--dry-run")["changes"]["esim-0002"]) > 100


def test_the_first_dry_run_says_so(office: Office) -> None:
    shown = office.ok("publish", "--dry-run")
    assert "esim-0001: configuration 1 would be published\n  its first\n" in shown
    assert office.versions() == {}


# --- two administrators ---------------------------------------------------------------------------


def test_a_colleague_s_move_is_never_undone_by_an_old_checkout(
    published: Office, tmp_path: Path
) -> None:
    pekka = published.colleague(tmp_path / "pekka", few(County.copied(tmp_path / "checkout")))
    published.edit("move", "esim-0001", "--to", "0007")
    assert published.json("publish")["versions"] == {"esim-0001": 2}
    audited = published.audited()
    for words in ([], ["esim-0002"], ["--dry-run"]):
        done = pekka.fleet("publish", *words)
        assert done.exit_code == 1
        assert 'esim-0001 is published at 0007, "Aula, pääovi" by maija at 20' in done.output
        assert "pull first" in done.output
        assert "hymio fleet move" in done.output
    assert pekka.audited() == audited, "nothing was changed"
    pekka.county.write(
        "devices/esim-0001.toml",
        (published.county.root / "devices/esim-0001.toml").read_text(encoding="utf-8"),
    )
    assert pekka.json("publish")["versions"] == {}


def test_a_renamed_device_counts_as_moved(published: Office, tmp_path: Path) -> None:
    old = published.colleague(tmp_path / "pekka", few(County.copied(tmp_path / "checkout")))
    published.edit("rename", "esim-0001", "--name", "Ikkunan vieressä")
    published.ok("publish")
    done = old.fleet("publish")
    assert done.exit_code == 1
    assert '"Ikkunan vieressä"' in done.output


def test_a_name_that_was_a_mistake_can_be_published_by_saying_so(published: Office) -> None:
    published.edit("rename", "esim-0001", "--name", "Aula", "--undated")
    refused = published.fleet("publish")
    assert refused.exit_code == 1
    assert "publish --moved esim-0001" in refused.output
    done = published.json("publish", "--moved", "esim-0001")
    assert done["versions"] == {"esim-0001": 2}


def test_moved_twice_before_publishing_is_understood(published: Office) -> None:
    published.county.edit(
        "devices/esim-0001.toml",
        'location = "0003"\nname = "Aula, pääovi"\n',
        'location = "0012"\nname = "Aula, pääovi"\n\n'
        '[[was]]\nuntil = "2026-01-31"\nlocation = "0003"\n\n'
        '[[was]]\nuntil = "2026-02-28"\nlocation = "0007"\nname = "Takahuone"\n',
    )
    assert published.fleet("publish").exit_code == 1, "at 0003 it was never called Takahuone"
    published.county.edit("devices/esim-0001.toml", '\nname = "Takahuone"\n', "\n")
    assert published.json("publish")["versions"] == {"esim-0001": 2}


def test_two_administrators_take_one_version_each(published: Office, tmp_path: Path) -> None:
    pekka = published.colleague(tmp_path / "pekka", few(County.copied(tmp_path / "checkout")))
    for office, seconds in ((published, 8), (pekka, 9)):
        with (office.county.root / "devices/esim-0002.toml").open("a") as file:
            file.write(f"\n[timing]\nthanks_s = {seconds}\n")
    assert published.json("publish")["versions"] == {"esim-0002": 2}
    shown = pekka.ok("publish", "--dry-run")
    assert "timing.thanks_s: 8.0 → 9.0" in shown, "what the colleague published would go"
    assert pekka.json("publish")["versions"] == {"esim-0002": 3}


def test_what_this_folder_lacks_is_said_and_kept(published: Office) -> None:
    (published.county.root / "devices/esim-0004.toml").unlink()
    done = published.fleet("publish")
    assert done.exit_code == 0
    assert "the centre also knows devices esim-0004, not in this folder: they keep" in done.output
    assert published.row("esim-0004")["version"] == 1
    published.ok("revoke", "esim-0004", "--reason", "rikki", "--yes")
    assert "esim-0004" not in published.fleet("publish").output


# --- what does not fit ---------------------------------------------------------------------------

LONG = "Kiireettömän hoidon ajanvaraus ja hoidon tarpeen arviointi sekä neuvonta " * 3


def test_what_does_not_fit_its_panel_is_not_published(published: Office) -> None:
    published.county.edit("devices/esim-0002.toml", 'survey = "lobby"', 'survey = "own"')
    lobby = (published.county.root / "surveys/lobby.toml").read_text(encoding="utf-8")
    own = lobby.replace('id = "lobby"', 'id = "own"', 1)
    own += f'\n[texts.fi]\n"nps.question" = "{LONG}"\n'
    published.county.write("surveys/own.toml", own)
    before = published.audited()
    for words in ([], ["--dry-run"]):
        done = published.fleet("publish", *words)
        assert done.exit_code == 1
        assert "nothing is published (--no-fit publishes all the same)" in done.output
        assert "surveys/own.toml:" in done.output
        assert "does not fit esim-0002" in done.output
    assert published.audited() == before
    assert published.json("publish", "esim-0001")["unchanged"] == {"esim-0001": 1}
    assert published.json("publish", "--no-fit")["versions"] == {"esim-0002": 2}
    assert published.json("publish")["versions"] == {}, "what stands already is not judged again"


def test_without_the_screens_fonts_nobody_can_tell(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise FontError("NotoSans-Regular.ttf is not in /here: install the package fonts")

    monkeypatch.setattr(fit, "PillowMeasure", missing)
    done = office.fleet("publish")
    assert done.exit_code == 1
    assert "whether texts fit cannot be checked: NotoSans-Regular.ttf" in done.output
    assert "give --no-fit" in done.output
    assert office.versions() == {}
    office.ok("publish", "--no-fit")


# --- what the centre is told ----------------------------------------------------------------------


def test_the_centre_is_told_hours_and_what_was(office: Office) -> None:
    office.edit("move", "esim-0001", "--to", "0007")
    office.edit("move-location", "0012", "--municipality", "Koivusalmi")
    office.edit("rename", "0018", "--name", "fi=Uusi terveysasema")
    office.ok("publish")
    with office.admin() as admin:
        known = admin.catalogue()
    tree = Tree.load(office.county.root)
    mine = told.catalogue(tree)
    for kind in ("locations", "services", "devices"):
        theirs = {row["id"]: row for row in known[kind]}
        for row in mine[kind]:
            assert theirs[row["id"]] == row, row["id"]
    moved = next(row for row in known["devices"] if row["id"] == "esim-0001")
    assert (moved["location"], moved["history"][0]["location"]) == ("0007", "0003")
    assert moved["history"][0]["name"] == "Aula, pääovi"


def test_a_place_whose_only_service_was_merged_is_told_with_the_one_that_goes_on(
    county: County,
) -> None:
    county.edit("locations/0018.toml", '["health-station"]', '["substance-abuse"]')
    (row,) = [
        row for row in told.catalogue(Tree.load(county.root))["locations"] if row["id"] == "0018"
    ]
    assert row["services"] == ["mental-health"]


def test_published_digests_are_those_of_this_desk(published: Office) -> None:
    with published.admin() as admin:
        found = admin.organisation()["digests"]
        raw = admin.bundle("esim-0004")
    assert raw is not None
    tree = Tree.load(published.county.root)
    for bundle in publish.bundles(tree):
        assert found[bundle.device] == publish.digest(bundle)
    assert bundles.unpack(raw, trusted=(published.organisation,)).version == 1


# --- cut off --------------------------------------------------------------------------------------


def test_what_was_cut_off_goes_on_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = publish.Admin.put_bundle
    sent: list[str] = []

    def interrupted(self: publish.Admin, device: str, container: bytes) -> None:
        if len(sent) == 3:
            raise KeyboardInterrupt
        put(self, device, container)
        sent.append(device)

    monkeypatch.setattr(publish.Admin, "put_bundle", interrupted)
    done = office.fleet("publish")
    assert done.exit_code == 1
    assert "3 of 4 devices published; the same command goes on from there" in done.output
    monkeypatch.undo()
    assert len(office.json("publish")["versions"]) == 1
    assert set(office.versions().values()) == {1}


def test_every_publication_is_audited_under_the_operator_s_name(published: Office) -> None:
    done = published.audited()
    assert {who for who, _ in done} == {"maija"}
    assert [what for _, what in done].count("bundle.put") == 4


def test_help_says_what_is_refused() -> None:
    shown = CliRunner().invoke(fleet, ["publish", "--help"])
    assert shown.exit_code == 0
    assert "another place than this folder knows" in " ".join(shown.output.split())
