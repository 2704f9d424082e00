"""`make deb-test`: the packages installed, upgraded and removed in a fresh Debian, for real.

Needs root, mmdebstrap, Xvfb and the packages of `make deb`. No container and no virtual machine:
a folder with a Debian in it. There is no systemd running inside, so what units do when they run is
not seen here; that they are there, enabled and sound is.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import ImageGrab

from tests.os.chroot import SUITES, Chroot, end, fresh, install, listing, sound

DATA = "/var/lib/hymio"
SEED = """
from pathlib import Path
from kiosk.recorder import Recorder
from sync.contract.bundle import Storage
from sync.contract.ids import uuid7
from sync.contract.records import Answer, Stamp
from sync.datadir import DataDir
import os
os.umask(0o007)
recorder = Recorder(DataDir(Path("/var/lib/hymio")), Storage(ballast_mb=0))
at = Stamp(wall="2026-03-02T10:00:00.000+02:00", boot="b", boottime_ms=1, synced=True)
for n in range(7):
    recorder.commit(Answer(visit=uuid7(), question="nps", n=1, value=9, language="fi",
        survey="county@1", config=1, location="0031", layout="nps-1x11", position=0, at=at,
        privacy="1"))
recorder.close()
"""


def bumped(package: Path, version: str, folder: Path) -> Path:
    """The same package as another version, quicker than building it again."""
    tree = folder / "bumped"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
    old = package.name.split("_")[1]
    for name in ("control", "preinst"):
        path = tree / "DEBIAN" / name
        path.write_text(path.read_text().replace(old, version))
    made = folder / package.name.replace(old, version)
    words = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(made)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return made


def device(chroot: Chroot, package: Path, folder: Path) -> None:
    """A terminal's package, from the first installation to the purge."""
    before = listing(chroot)
    install(chroot, package, "installed with what it depends on")
    users = {name: chroot.run("id", "-nG", name).stdout for name in ("hymio-kiosk", "hymio-sync")}
    chroot.check(
        "terminal and sender have users in one group",
        all("hymio" in groups.split() for groups in users.values()),
        str(users),
    )
    wanted = {DATA: "2770 root:hymio", "/run/hymio/stick": "750 root:hymio"}
    modes = {path: chroot.run("stat", "-c", "%a %U:%G", path).stdout.strip() for path in wanted}
    chroot.check("data directory and stick folder belong to the group", modes == wanted, str(modes))
    units = ("hymio-terminal", "hymio-sync", "ctrl-alt-del.target", "getty@tty1")
    states = chroot.run("systemctl", "is-enabled", *units).stdout.split()
    chroot.check(
        "both units enabled, Ctrl-Alt-Del and the login masked",
        states == ["enabled", "enabled", "masked", "masked"],
        str(states),
    )
    sound(chroot)
    voice = chroot.run("sh", "-c", "command -v aplay && espeak-ng --stdout -v fi kiitos | wc -c")
    size = int((voice.stdout.split() or ["0"])[-1])
    chroot.check("a voice and what plays it", size > 10_000, voice.stdout)
    helped = chroot.run("hymio", "--help")
    chroot.check("hymio --help", helped.returncode == 0 and "sync" in helped.stdout, helped.stdout)
    once = chroot.sender("hymio", "sync", "--once", "--data", DATA)
    chroot.check(
        "hymio sync --once starts, and says what is missing", once.returncode == 3, once.stdout
    )
    day = chroot.path("/opt/hymio").glob("lib/*/site-packages/sync/built.txt")
    chroot.check("the build date is in the package", int(next(day).read_text()) > 1_700_000_000)
    window(chroot)
    outbox(chroot, package, folder)
    chroot.check("nothing left behind", listing(chroot) == before, str(listing(chroot) - before))
    gone = chroot.run("getent", "passwd", "hymio-sync", "hymio-kiosk").stdout
    chroot.check("users gone", not gone, gone)


def window(chroot: Chroot) -> None:
    """The terminal opens its window on a screen outside."""
    read, write = os.pipe()
    words = [
        "Xvfb",
        "-displayfd",
        str(write),
        "-ac",
        "-nolisten",
        "tcp",
        "-screen",
        "0",
        "1280x800x24",
    ]
    server = subprocess.Popen(words, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    group = ["setpriv", "--reuid=hymio-kiosk", "--regid=hymio", "--clear-groups"]
    inside = ["hymio", "kiosk", "--data", DATA]
    more = {"DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11", "HOME": "/tmp"}
    words = chroot.words(*group, *inside)
    process = subprocess.Popen(
        words,
        env=chroot.env(more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    colours, until = 0, time.monotonic() + 40
    try:
        while colours < 20 and time.monotonic() < until and process.poll() is None:
            time.sleep(0.5)
            picture = ImageGrab.grab(xdisplay=f":{number}")
            colours = len(picture.convert("RGB").getcolors(1 << 24) or ())
    finally:
        end(process)
        server.terminate()
        server.wait(timeout=20)
    said = process.communicate(timeout=20)[0]
    chroot.check(f"hymio kiosk draws its window ({colours} colours)", colours >= 20, said)


def outbox(chroot: Chroot, package: Path, folder: Path) -> None:
    """Upgrade, downgrade, removal and purge, with answers that have not been sent."""
    chroot.path("/tmp/seed.py").write_text(SEED)
    words = ["setpriv", "--reuid=hymio-kiosk", "--regid=hymio", "--clear-groups"]
    seeded = chroot.run(*words, "/opt/hymio/bin/python3", "-I", "/tmp/seed.py")
    chroot.check("7 records stored as the terminal's user", not seeded.returncode, seeded.stdout)
    chroot.check("the sender's user counts 7 unsent", unsent(chroot) == 7)
    newer = bumped(package, "9.9.9+deb" + package.name.split("+deb")[1].split("_")[0], folder)
    install(chroot, newer, "upgraded")
    chroot.check("the upgrade kept the outbox", unsent(chroot) == 7)
    older = ["apt-get", "install", "-y", "--allow-downgrades", f"/tmp/{package.name}"]
    done = chroot.run(*older)
    chroot.check(
        "an older package is refused, with the reason",
        done.returncode and "is older: refused" in done.stdout,
        done.stdout[-2000:],
    )
    whole = chroot.run("dpkg-query", "-W", "-f", "${Version} ${Status}", "hymio-device").stdout
    chroot.check(
        "the newer one is whole", re.match(r"9.9.9\+deb\d+ install ok installed", whole), whole
    )
    chroot.check("and its outbox too", unsent(chroot) == 7)
    chroot.run("apt-get", "remove", "-y", "hymio-device")
    left = list(chroot.path("/opt").glob("hymio/**/*"))
    chroot.check("removed: no program left", not left, str(left[:5]))
    chroot.check("removed: the outbox stays", any(chroot.path(DATA).glob("outbox/*.db")))
    done = chroot.run("dpkg", "--purge", "hymio-device")
    kept = any(chroot.path(DATA).glob("outbox/*.db"))
    chroot.check(
        "purged: unsent answers stay, and it says so", kept and ": 7" in done.stdout, done.stdout
    )
    install(chroot, newer, "installed again over the old data")
    chroot.check("the 7 records are there again", unsent(chroot) == 7)
    done = chroot.run("dpkg", "--purge", "hymio-device", env={"HYMIO_PURGE": "yes"})
    chroot.check("HYMIO_PURGE=yes removes them", not chroot.path(DATA).exists(), done.stdout)


def unsent(chroot: Chroot) -> int:
    found = chroot.sender("hymio", "ledger", "--data", DATA, "--format", "json")
    return int(json.loads(found.stdout)["total"]["to_send"]) if not found.returncode else -1


def centre(chroot: Chroot, package: Path) -> None:
    """The centre's package answers on loopback."""
    before = listing(chroot)
    install(chroot, package, "installed with what it depends on")
    units = ("hymio-collector", "hymio-collector-maintenance.timer")
    states = chroot.run("systemctl", "is-enabled", *units).stdout.split()
    chroot.check("centre and nightly maintenance enabled", states == ["enabled"] * 2, str(states))
    mode = chroot.run("stat", "-c", "%a", "/etc/hymio/centre.env").stdout.strip()
    chroot.check("the file for a database's password is root's alone", mode == "600", mode)
    sound(chroot)
    url = "sqlite:////var/lib/hymio-centre/centre.db"
    own = ["setpriv", "--reuid=hymio-centre", "--regid=hymio-centre", "--clear-groups"]
    done = chroot.run(*own, "hymio", "collector", "migrate", "--database", url)
    chroot.check("hymio collector migrate", done.returncode == 0, done.stdout)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["hymio", "collector", "serve", "--database", url, "--port", str(port)]
    process = subprocess.Popen(
        chroot.words(*own, *words),
        env=chroot.env(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = answer(port)
    finally:
        end(process)
        process.wait(timeout=30)
    chroot.check(f"it answers on loopback ({status})", status and status < 500)
    nightly = chroot.run("/usr/lib/hymio/centre-maintenance", env={"HYMIO_DATABASE": url})
    chroot.check("nightly maintenance passes", nightly.returncode == 0, nightly.stdout)
    chroot.run("dpkg", "--purge", "hymio-centre")
    chroot.check(
        "purged: the database stays", chroot.path("/var/lib/hymio-centre/centre.db").exists()
    )
    install(chroot, package, "installed again")
    chroot.run("dpkg", "--purge", "hymio-centre", env={"HYMIO_PURGE": "yes"})
    chroot.check("nothing left behind", listing(chroot) == before, str(listing(chroot) - before))


def answer(port: int) -> int:
    """The status of the first page, once the centre listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            link.request("GET", "/")
            return link.getresponse().status
        except OSError:
            time.sleep(0.3)
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--debian", choices=sorted(SUITES), default="12")
    parser.add_argument("--packages", type=Path, default=Path("build"))
    asked = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("a chroot needs root: sudo make deb-test")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="hymio-packages-") as name:
        folder = Path(name)
        for package, work in (("device", device), ("centre", centre)):
            found = sorted(asked.packages.glob(f"hymio-{package}_*+deb{asked.debian}_*.deb"))
            if not found:
                sys.exit(
                    f"{asked.packages} has no hymio-{package} for Debian {asked.debian}: make deb"
                )
            newest = max(found, key=lambda path: path.stat().st_mtime)
            print(f"--- Debian {asked.debian}: {newest.name}", flush=True)
            with fresh(asked.debian, asked.packages) as chroot:
                work(chroot, newest, folder) if package == "device" else work(chroot, newest)
                failed += chroot.failed
    print("all holds" if not failed else f"{failed} FAILED")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
