"""The units as systemd reads them, and how much they are locked in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

OS = Path(__file__).resolve().parents[2] / "device-config" / "os"
UNITS = sorted((OS / "systemd").iterdir())
MOST_EXPOSED = {
    "hymio-sync.service": 1.5,
    "hymio-collector.service": 1.5,
    "hymio-terminal.service": 1.6,
    "hymio-stick@.service": 2.7,
    "hymio-collector-maintenance.service": 3.9,
}
pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="a machine without systemd"
)


def run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, env=env)


def settings(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (OS / "systemd" / name).read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_systemd_finds_nothing_wrong_with_any_unit(tmp_path: Path) -> None:
    # What this machine need not have: the programs, and the units of other packages.
    programs = tmp_path / "bin"
    programs.mkdir()
    units = tmp_path / "units"
    units.mkdir()
    for path in UNITS:
        text = path.read_text(encoding="utf-8")
        for word in set(re.findall(r"(?<==)/usr/\S+", text)):
            stub = programs / Path(word).name
            stub.write_text("#!/bin/sh\n")
            stub.chmod(0o755)
            text = text.replace(f"={word}", f"={stub}")
        (units / path.name).write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
    for name in ("seatd", "plymouth-quit-wait", "getty@", "postgresql"):
        (units / f"{name}.service").write_text("[Service]\nType=oneshot\nExecStart=/bin/true\n")
    names = [str(units / path.name.replace("@.", "@sdb1.")) for path in UNITS]
    done = run("systemd-analyze", "verify", "--man=no", *names)
    ours = [line for line in done.stderr.splitlines() if "hymio" in line]
    assert ours == []
    assert done.returncode == 0, done.stderr


def test_the_check_sees_a_misspelt_setting(tmp_path: Path) -> None:
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nWatchdogSecs=9\n")
    assert "WatchdogSecs" in run("systemd-analyze", "verify", "--man=no", str(unit)).stderr


@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_exposure_stays_low_and_the_readme_says_how_low(name: str) -> None:
    done = run("systemd-analyze", "security", "--offline=yes", str(OS / "systemd" / name))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST_EXPOSED[name]
    # systemd 252 and 257 differ by a tenth.
    readme = (OS / "README.md").read_text(encoding="utf-8")
    written = re.search(rf"`{re.escape(name)}` \| ([\d.]+)", readme)
    assert written, f"the README has no figure for {name}"
    assert abs(float(written[1]) - float(found[1])) <= 0.1


@pytest.mark.parametrize("name", ["hymio-terminal.service", "hymio-sync.service"])
def test_both_programs_of_a_device_are_watched_and_never_given_up(name: str) -> None:
    found = settings(name)
    assert found["Type"] == ["notify"]
    assert found["Restart"] == ["always"]
    assert found["StartLimitIntervalSec"] == ["0"]
    assert "WatchdogSec" in found
    assert found["CapabilityBoundingSet"] == [""]
    assert found["ProtectSystem"] == ["strict"]
    assert found["ReadWritePaths"] == ["/var/lib/hymio"]
    assert found["Group"] == ["hymio"]
    assert found["UMask"] == ["0007"]


def test_the_sender_keeps_the_boot_id_in_sight() -> None:
    assert "ProcSubset" not in settings("hymio-sync.service")


def test_the_terminals_word_reaches_the_watchdog_through_cage() -> None:
    found = settings("hymio-terminal.service")
    assert found["NotifyAccess"] == ["all"]
    # logind would move the terminal out of the unit, and NotifyAccess= would not see it.
    assert "PAMName" not in found
    screen = (OS / "libexec" / "screen").read_text()
    assert "cage -d -- " in screen


def test_the_sender_is_not_killed_in_a_turn_that_takes_long() -> None:
    from sync import link

    minutes = re.fullmatch(r"(\d+)min", settings("hymio-sync.service")["WatchdogSec"][0])
    assert minutes
    assert int(minutes[1]) * 60 >= 5 * link.DEADLINE_S


def test_no_way_around_the_screen_by_keyboard() -> None:
    assert "kernel.sysrq = 0" in (OS / "sysctl" / "60-hymio.conf").read_text()
    assert "CtrlAltDelBurstAction=none" in (OS / "dropins" / "system.conf").read_text()
    logind = (OS / "dropins" / "logind.conf").read_text()
    assert "NAutoVTs=0" in logind
    assert "ReserveVT=0" in logind


def test_times_of_the_nightly_window_are_times(tmp_path: Path) -> None:
    for path in (*OS.glob("dropins/*.timer.conf"), *OS.glob("systemd/*.timer")):
        times = re.findall(r"^OnCalendar=(.+)$", path.read_text(), re.MULTILINE)
        assert times
        for time in times:
            done = run("systemd-analyze", "calendar", time)
            assert done.returncode == 0, done.stderr
            hour = re.search(r"(\d\d):\d\d:\d\d", done.stdout)
            assert hour
            assert 1 <= int(hour[1]) <= 3


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="udevadm is missing")
def test_only_usb_storage_with_a_known_file_system_starts_the_stick_unit() -> None:
    lines = (OS / "udev" / "90-hymio-stick.rules").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    starts = [line for line in rules if "SYSTEMD_WANTS" in line]
    assert len(starts) == 1
    assert 'ENV{ID_BUS}=="usb"' in starts[0]
    assert 'ENV{ID_FS_TYPE}=="vfat|exfat|ext4"' in starts[0]
    assert "RUN" not in "".join(rules)
