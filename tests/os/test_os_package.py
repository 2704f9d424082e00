"""The package recipe, without the wheels: what goes where, and what the scripts decide."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

OS = Path(__file__).resolve().parents[2] / "device-config" / "os"
DPKG = shutil.which("dpkg-deb")
needs_dpkg = pytest.mark.skipif(DPKG is None, reason="not a Debian machine")


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hymio_package", OS / "package.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def target(recipe: Any, package: str, debian: str = "12", version: str = "0.1.0") -> Any:
    made = recipe.debian_version(version, debian)
    return recipe.Target(package, debian, "amd64", made, 1_790_000_000)


def fields(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(delimiters=(":",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string("[package]\n" + text)
    return dict(parser["package"])


@needs_dpkg
@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("0.1.0", "12"), ("0.1.1", "12")),
        (("0.9.0", "12"), ("0.10.0", "12")),
        (("0.2.0rc1", "12"), ("0.2.0", "12")),
        (("0.2.0.dev3", "12"), ("0.2.0rc1", "12")),
        (("0.2.0", "12"), ("0.2.0", "13")),
        (("0.2.0", "13"), ("0.2.1", "12")),
    ],
)
def test_versions_sort_as_people_expect(recipe: Any, older: Any, newer: Any) -> None:
    first, second = (recipe.debian_version(*pair) for pair in (older, newer))
    assert (
        subprocess.run(["dpkg", "--compare-versions", first, "lt", second], check=False).returncode
        == 0
    )


def test_a_version_no_package_can_have_is_refused(recipe: Any) -> None:
    with pytest.raises(SystemExit, match="no version"):
        recipe.debian_version("new; rm -rf /", "12")


@pytest.mark.parametrize("package", ["device", "centre"])
@pytest.mark.parametrize(
    ("debian", "least", "below"), [("12", "3.11", "3.12"), ("13", "3.13", "3.14")]
)
def test_the_control_file_asks_for_the_right_python(
    recipe: Any, package: str, debian: str, least: str, below: str
) -> None:
    found = fields(recipe.control(target(recipe, package, debian), 1234))
    assert found["Package"] == f"hymio-{package}"
    assert found["Version"] == f"0.1.0+deb{debian}"
    assert f"python3 (>= {least}~), python3 (<< {below}~)" in found["Depends"]
    other = {"device": "hymio-centre", "centre": "hymio-device"}[package]
    assert found["Conflicts"] == other


def test_a_device_depends_on_what_its_unit_starts(recipe: Any) -> None:
    depends = re.split(r",\s*", fields(recipe.control(target(recipe, "device"), 1))["Depends"])
    names = {depend.split()[0] for depend in depends}
    assert names >= {"cage", "seatd", "xwayland", "libxi6", "fonts-noto-core", "libegl1"}
    assert names >= {"alsa-utils", "espeak-ng"}


@pytest.mark.parametrize("package", ["device", "centre"])
def test_every_file_of_this_folder_goes_somewhere_or_is_the_recipes(
    recipe: Any, package: str, tmp_path: Path
) -> None:
    recipe.lay_out(target(recipe, package), tmp_path)
    used = {source for row in recipe.FILES.values() for source in row.values()} | {"hymio"}
    there = {
        str(path.relative_to(OS))
        for path in OS.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    rest = {name for name in there - used if not name.startswith("installer/")}
    scripts = {
        f"{p}/{s}" for p in recipe.PACKAGES for s in ("control", "postinst", "prerm", "postrm")
    }
    assert rest == {*scripts, "preinst", "package.py", "files.toml"}
    for path in tmp_path.rglob("*"):
        shebang = path.is_file() and not path.is_symlink() and path.read_bytes()[:2] == b"#!"
        assert not shebang or os.access(path, os.X_OK), path


def test_the_environment_is_debians_python_alone(recipe: Any, tmp_path: Path) -> None:
    recipe.lay_out(target(recipe, "device", "13"), tmp_path)
    assert (tmp_path / "opt/hymio/bin/python3").readlink() == Path("/usr/bin/python3.13")
    settings = (tmp_path / "opt/hymio/pyvenv.cfg").read_text()
    assert "include-system-site-packages = false" in settings
    assert str(Path.home()) not in settings
    masked = tmp_path / "etc/systemd/system/ctrl-alt-del.target"
    assert masked.readlink() == Path("/dev/null")


def test_what_one_environment_holds_runs(recipe: Any, tmp_path: Path) -> None:
    recipe.lay_out(target(recipe, "device"), tmp_path)
    python = tmp_path / "opt/hymio/bin/python3"
    if not python.exists():
        pytest.skip("this machine's Python is not Debian 12's")
    site = tmp_path / "opt/hymio/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    (site / "ours.py").write_text("import sys; print(sys.path)")
    done = subprocess.run(
        [str(python), "-I", "-m", "ours"], capture_output=True, text=True, check=False
    )
    assert str(site) in done.stdout, done.stderr
    assert "dist-packages" not in done.stdout


@needs_dpkg
def test_two_builds_are_the_same_byte_for_byte(
    recipe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "libraries", lambda *_: None)
    made = [recipe.build(target(recipe, "device"), tmp_path / name) for name in "ab"]
    assert made[0].read_bytes() == made[1].read_bytes()
    listed = subprocess.run(
        [str(DPKG), "-c", str(made[0])], capture_output=True, text=True, check=True
    ).stdout
    assert {line.split()[1] for line in listed.splitlines()} == {"root/root"}
    assert not re.search(r"\./(home|root|tmp|work)/", listed)
    words = [str(DPKG), "-I", str(made[0]), "conffiles"]
    kept = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert kept == ["/etc/apt/apt.conf.d/52hymio-upgrades", "/etc/hymio/terminal.env"]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [made[0].name]


@pytest.mark.parametrize("package", ["device", "centre"])
def test_shell_reads_every_script(recipe: Any, package: str, tmp_path: Path) -> None:
    texts = dict(recipe.scripts(target(recipe, package)))
    for path in (*(OS / "libexec").iterdir(), *(OS / "installer").glob("*.sh"), OS / "hymio"):
        if path.read_text(encoding="utf-8").startswith("#!/bin/sh"):
            texts[path.name] = re.sub(r"@[A-Z]+@", "false", path.read_text(encoding="utf-8"))
    assert len(texts) == 4 + 9
    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text)
        done = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        if shutil.which("shellcheck"):
            words = ["shellcheck", "-s", "sh", "-e", "SC1091", str(path)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@needs_dpkg
@pytest.mark.parametrize(
    ("words", "env", "code"),
    [
        (["install"], {}, 0),
        (["upgrade", "0.0.9+deb12"], {}, 0),
        (["upgrade", "0.1.0+deb12"], {}, 0),
        (["upgrade", "0.1.0+deb13"], {}, 1),
        (["upgrade", "0.2.0+deb12"], {}, 1),
        (["install", "0.2.0+deb12"], {}, 1),
        (["upgrade", "0.2.0+deb12"], {"HYMIO_OLDER": "yes"}, 0),
        (["abort-upgrade", "0.2.0+deb12"], {}, 0),
    ],
)
def test_an_older_package_is_refused(
    recipe: Any, words: list[str], env: dict[str, str], code: int
) -> None:
    text = recipe.scripts(target(recipe, "device"))["preinst"]
    done = subprocess.run(
        ["sh", "-c", text, "preinst", *words],
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert ("is older: refused" in done.stderr) is bool(code)


def test_an_upgrade_waits_for_whoever_answers(tmp_path: Path) -> None:
    script = str(OS / "libexec" / "wait-idle")
    (tmp_path / "e.db").write_text("")
    os.utime(tmp_path / "e.db", (1, 1))
    assert subprocess.run(["sh", script, str(tmp_path)], timeout=30, check=False).returncode == 0
    (tmp_path / "e.db-shm").write_text("only the sender reads")
    assert subprocess.run(["sh", script, str(tmp_path)], timeout=30, check=False).returncode == 0
    assert subprocess.run(["sh", script, "/none"], timeout=30, check=False).returncode == 0
    (tmp_path / "e.db-wal").write_text("a tap just now")
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["sh", script, str(tmp_path)], timeout=1, check=False)
