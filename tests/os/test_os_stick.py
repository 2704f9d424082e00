"""`hymio fleet stick`: what an installer gets, and what never gets onto it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kiosk.fleet.cli import fleet

TICKET = {"endpoint": "https://c.example", "code": "K7QM4T2P9XWB3HNA", "device": "esim-0001"}
SELECTIONS = shutil.which("debconf-set-selections")
XORRISO = shutil.which("xorriso")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Packages, and the tickets of two devices."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("hymio-device_0.1.0+deb12_amd64", "hymio-centre_0.1.0+deb12_amd64", "cage_1_all"):
        (packages / f"{name}.deb").write_bytes(name.encode())
    for device in ("esim-0001", "esim-0002"):
        here = tmp_path / "usb" / "hymio" / device
        here.mkdir(parents=True)
        (here / "ticket.json").write_text(json.dumps({**TICKET, "device": device}))
        (here / "12.bundle").write_bytes(b"signed")
        (here / "organisation.key").write_text("a key somebody left here")
    return tmp_path


def stick(desk: Path, *words: str, usb: bool = True) -> Result:
    fixed = ["stick", "--packages", str(desk / "packages")]
    fixed += ["--usb", str(desk / "usb")] if usb else []
    return CliRunner().invoke(fleet, [*fixed, "--out", str(desk / "out"), *words])


def written(desk: Path) -> list[str]:
    out = desk / "out"
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_the_folder_has_packages_tickets_answers_and_scripts_and_nothing_else(desk: Path) -> None:
    done = stick(desk)
    assert done.exit_code == 0, done.output
    assert written(desk) == [
        "README-HYMIO.txt",
        "boot/grub/grub.cfg",
        "hymio-installer/disk.sh",
        "hymio-installer/install.sh",
        "hymio-installer/late.sh",
        "hymio-installer/packages/cage_1_all.deb",
        "hymio-installer/packages/hymio-device_0.1.0+deb12_amd64.deb",
        "hymio/esim-0001/12.bundle",
        "hymio/esim-0001/ticket.json",
        "hymio/esim-0002/12.bundle",
        "hymio/esim-0002/ticket.json",
        "preseed.cfg",
    ]
    assert stick(desk).exit_code == 0, "it can be repeated"


def test_named_devices_alone_and_json_for_programs(desk: Path) -> None:
    done = stick(desk, "esim-0002", "--format", "json")
    found = json.loads(done.stdout)
    assert found["devices"] == ["esim-0002"]
    assert [name for name in written(desk) if "esim-0001" in name] == []
    assert "string esim-0002" in (desk / "out" / "preseed.cfg").read_text()


def test_a_dry_run_names_everything_and_writes_nothing(desk: Path) -> None:
    done = stick(desk, "--dry-run")
    assert "hymio/esim-0001/ticket.json" in done.output
    assert "would be written" in done.output
    assert not (desk / "out").exists()


def test_the_disk_is_erased_unasked_only_when_that_was_said(desk: Path) -> None:
    stick(desk)
    assert "\nerase=false\n" in (desk / "out/hymio-installer/disk.sh").read_text()
    done = stick(desk, "--erase-disk")
    assert "loses what is on its disk" in done.output
    script = (desk / "out/hymio-installer/disk.sh").read_text()
    assert "\nerase=true\n" in script
    # No answer elsewhere confirms it behind the script's back.
    assert "confirm" not in (desk / "out/preseed.cfg").read_text().replace("confirmed", "")


def fake_installer(tmp_path: Path, script: str, disks: list[str], mounted: str) -> list[str]:
    """Run disk.sh with commands of the installer that only tell what they were asked."""
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    # Others on this machine may look at the same time.
    look = str(tmp_path / "look")
    script = script.replace("/tmp/hymio-look", look)
    outbox = f"mkdir -p {look}/var/lib/hymio/outbox" if mounted else "exit 1"
    for name, body in {
        "list-devices": f'[ "$1" = disk ] && echo "{" ".join(disks)}" || echo "{mounted}"',
        "debconf-set": f'echo "$1=$2" >> {tmp_path}/asked',
        "logger": f'echo "$@" >> {tmp_path}/log',
        "mount": outbox,
        "umount": f"rm -rf {look}",
        "readlink": 'case "$2" in *sdb) echo /sys/usb1/x ;; *) echo /sys/pci/x ;; esac',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    (tmp_path / "asked").write_text("")
    done = subprocess.run(
        ["sh", "-c", script], env={"PATH": f"{programs}:/usr/bin:/bin"}, check=False
    )
    assert done.returncode == 0
    return (tmp_path / "asked").read_text().split()


def test_which_disk_is_taken(desk: Path, tmp_path: Path) -> None:
    stick(desk, "--erase-disk")
    script = (desk / "out/hymio-installer/disk.sh").read_text()
    one = fake_installer(tmp_path, script, ["/dev/sda", "/dev/sdb"], "")
    assert "partman-auto/disk=/dev/sda" in one, "the stick itself, on USB, is no choice"
    assert "partman/confirm=true" in one
    assert fake_installer(tmp_path, script, ["/dev/sda", "/dev/nvme0n1"], "") == [], "it asks"
    assert fake_installer(tmp_path, script, ["/dev/sda"], "/dev/sda2") == [], "answers lie there"
    asking = script.replace("erase=true", "erase=false")
    assert fake_installer(tmp_path, asking, ["/dev/sda"], "") == []


@pytest.mark.skipif(SELECTIONS is None, reason="debconf is missing")
def test_debconf_reads_the_answers(desk: Path) -> None:
    key = desk / "id.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB you@desk\n")
    assert stick(desk, "--admin-key", str(key)).exit_code == 0
    words = [str(SELECTIONS), "-c", str(desk / "out/preseed.cfg")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    assert re.findall(r"@[A-Z_]+@", (desk / "out/preseed.cfg").read_text()) == []


@pytest.mark.parametrize("key", [False, True])
def test_nobody_logs_in_with_a_password(desk: Path, key: bool) -> None:
    public = desk / "id.pub"
    public.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB you@desk\n")
    stick(desk, *(["--admin-key", str(public)] if key else []))
    answers = (desk / "out/preseed.cfg").read_text()
    assert "passwd/root-login boolean false" in answers
    assert "user-password-crypted password !\n" in answers
    assert ("openssh-server" in answers) is key
    assert (desk / "out/hymio-installer/admin.pub").exists() is key


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["esim-0003"], 2, "hymio fleet enrol esim-0003 --usb"),
        (["--keyboard", "fi\nd-i x/y string z"], 2, "keyboard"),
        (["--mirror", "https://mirror.example/debian"], 2, "http://HOST/debian"),
        (["--installer", "preseed.cfg"], 2, "netinst"),
    ],
)
def test_what_cannot_be_done_is_said(desk: Path, words: list[str], code: int, said: str) -> None:
    done = stick(desk, *words)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert not (desk / "out").exists()


def test_a_private_key_is_never_copied(desk: Path) -> None:
    key = desk / "id"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    done = stick(desk, "--admin-key", str(key))
    assert done.exit_code == 2
    assert ".pub" in done.output


def test_a_wrong_or_damaged_ticket_is_found_at_the_desk(desk: Path) -> None:
    ticket = desk / "usb/hymio/esim-0001/ticket.json"
    ticket.write_text(json.dumps({**TICKET, "device": "esim-0002"}))
    assert "is the ticket of esim-0002" in stick(desk).output
    ticket.write_text("{")
    assert "damaged" in stick(desk).output
    ticket.unlink()
    assert "is missing" in stick(desk).output


def test_without_packages_or_tickets_it_says_how_to_get_them(desk: Path) -> None:
    done = stick(desk, "esim-0001", usb=False)
    assert done.exit_code == 2
    assert "--usb" in done.output
    for path in (desk / "packages").glob("hymio-device*"):
        path.unlink()
    assert "make deb" in stick(desk).output


@pytest.fixture
def installer(tmp_path: Path) -> Path:
    """As small as an installer image gets."""
    tree = tmp_path / "tree"
    (tree / "boot/grub").mkdir(parents=True)
    (tree / "boot/grub/grub.cfg").write_text("menuentry x {}\n")
    (tree / "isolinux.cfg").write_text("default install\n")
    (tree / "linux").write_bytes(b"kernel")
    (tree / "initrd.gz").write_bytes(gzip.compress(b""))
    words = [str(XORRISO), "-as", "mkisofs", "-quiet", "-o", str(tmp_path / "in.iso"), str(tree)]
    subprocess.run(words, check=True, capture_output=True)
    return tmp_path / "in.iso"


@pytest.mark.skipif(XORRISO is None, reason="xorriso is missing")
def test_an_installer_starts_with_our_answers(desk: Path, installer: Path) -> None:
    before = installer.read_bytes()
    done = stick(desk, "--installer", str(installer))
    assert done.exit_code == 0, done.output
    assert installer.read_bytes() == before
    inside = desk / "inside"
    words = [str(XORRISO), "-osirrox", "on", "-indev", str(desk / "out"), "-extract", "/"]
    subprocess.run([*words, str(inside)], check=True, capture_output=True)
    assert "auto=true" in (inside / "boot/grub/grub.cfg").read_text()
    assert "timeout 100" in (inside / "isolinux.cfg").read_text()
    packed = gzip.decompress((inside / "initrd.gz").read_bytes())
    for name in ("preseed.cfg", "hymio-installer/late.sh", "hymio/esim-0001/ticket.json"):
        assert f"{name}\0".encode() in packed
    assert b".key\0" not in packed
    assert b"TRAILER!!!\0" in packed[-16:]
    assert [path.name for path in desk.iterdir() if path.name.startswith(".")] == []


@pytest.mark.skipif(XORRISO is None, reason="xorriso is missing")
def test_the_installer_itself_is_never_written_over(desk: Path, installer: Path) -> None:
    shutil.copy(installer, desk / "out")
    done = stick(desk, "--installer", str(desk / "out"))
    assert done.exit_code == 2
    assert "left as it is" in done.output


def test_without_xorriso_it_says_which_package(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(desk))
    (desk / "in.iso").write_bytes(b"")
    done = stick(desk, "--installer", str(desk / "in.iso"))
    assert done.exit_code == 2
    assert "apt install xorriso" in done.output


def test_a_mirror_is_named_only_when_it_is_given(desk: Path) -> None:
    assert stick(desk).exit_code == 0
    answers = desk / "out" / "preseed.cfg"
    assert "mirror/http/hostname" not in answers.read_text()
    assert stick(desk, "--mirror", "http://mirror.example/debian").exit_code == 0
    text = answers.read_text()
    assert "d-i mirror/http/hostname string mirror.example\n" in text
    assert "d-i mirror/http/directory string /debian\n" in text
