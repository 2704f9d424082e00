"""Sound on a device: what the mixer sets, and what the terminal may reach."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

OS = Path(__file__).resolve().parents[2] / "device-config" / "os"
MIXER = OS / "libexec" / "mixer"
HDA = (
    *("Master", "Headphone", "Speaker", "PCM", "Mic", "Internal Mic Boost"),
    *("IEC958", "Capture", "Auto-Mute Mode", "Loopback Mixing"),
)


def mix(folder: Path, *cards: tuple[str, ...], fails: bool = False) -> dict[str, dict[str, str]]:
    """Run the script with an amixer that only writes down; card to control to what was set."""
    asound = folder / "asound"
    asound.mkdir()
    (asound / "cards").touch()
    for number, controls in enumerate(cards):
        (asound / f"card{number}").mkdir()
        lines = "".join(f"Simple mixer control '{name}',0\n" for name in controls)
        (folder / f"card{number}").write_text(lines)
    tool = folder / "bin" / "amixer"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\n"
        f'[ "$3" = scontrols ] && exec cat "{folder}/card$2"\n'
        f'echo "$4|$6|$7" >>"{folder}/set"\n' + ("exit 1\n" if fails else "")
    )
    tool.chmod(0o755)
    done = subprocess.run(
        ["sh", str(MIXER), str(asound)],
        env={"PATH": f"{tool.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found: dict[str, dict[str, str]] = {}
    written = folder / "set"
    for line in written.read_text().splitlines() if written.exists() else ():
        card, control, value = line.split("|")
        values = found.setdefault(card, {})
        name = control.split("'")[1]
        values[name] = f"{values.get(name, '')} {value}".strip()
    return found


def test_a_card_is_audible_and_its_microphones_are_off(tmp_path: Path) -> None:
    assert mix(tmp_path, HDA)["0"] == {
        "Master": "80% unmute",
        "Headphone": "100% unmute",
        "Speaker": "100% unmute",
        "PCM": "100% unmute",
        "Mic": "nocap mute",
        "Internal Mic Boost": "nocap mute",
        "IEC958": "unmute",
        "Capture": "nocap mute",
        "Auto-Mute Mode": "Enabled",
    }


def test_every_card_is_set_and_one_without_a_master_is_not_full_loud(tmp_path: Path) -> None:
    found = mix(tmp_path, ("IEC958",), ("PCM", "Mic"))
    assert found == {"0": {"IEC958": "unmute"}, "1": {"PCM": "80% unmute", "Mic": "nocap mute"}}


def test_no_card_and_a_card_that_refuses_everything_are_no_fault(tmp_path: Path) -> None:
    for name, cards in (("none", ()), ("refusing", (HDA,))):
        folder = tmp_path / name
        folder.mkdir()
        mix(folder, *cards, fails=True)


def test_the_terminal_plays_and_cannot_record() -> None:
    unit = (OS / "systemd" / "hymio-terminal.service").read_text("utf-8").splitlines()
    assert "SupplementaryGroups=video render audio" in unit
    assert "ExecStartPre=/usr/lib/hymio/mixer" in unit
    # In no group that reads keyboards and touch screens.
    assert not any("=input" in line or " input" in line for line in unit if "Groups=" in line)
    text = (OS / "udev" / "90-hymio-sound.rules").read_text("utf-8")
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    recording, jacks = rules
    assert 'KERNEL=="pcmC*D*c"' in recording
    assert 'GROUP="root", MODE="0600"' in recording
    assert 'SUBSYSTEMS=="sound"' in jacks, "the jacks of a card, and nothing else people type on"
    assert 'GROUP="audio", MODE="0640"' in jacks
    assert "RUN" not in text


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="udevadm is missing")
def test_udev_reads_the_rules() -> None:
    words = ["udevadm", "verify", str(OS / "udev" / "90-hymio-sound.rules")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "Unknown command verb" in done.stderr + done.stdout:
        pytest.skip("udevadm verify came with systemd 254")
    assert done.returncode == 0, done.stderr
