"""The texts of an installer stick: answers for the Debian installer, its scripts, its start menu.

The templates lie in device-config/os/installer/ and are part of the program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.fleet.usb import StickError
from kiosk.paths import example_config

FOLDER = "hymio-installer"
SCRIPTS = ("disk.sh", "late.sh", "install.sh")
KEY_TYPES = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")
_PLAIN = {
    "locale": r"[a-z]{2,3}_[A-Z]{2}(\.UTF-8)?",
    "keyboard": r"[a-z]{2,12}",
    "timezone": r"[A-Za-z_]+(/[A-Za-z_+-]+){0,2}",
    "hostname": r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    "admin": r"[a-z][a-z0-9-]{0,30}",
}


@dataclass(frozen=True)
class Settings:
    """What IT decides about the new machine."""

    erase: bool = False
    locale: str = "fi_FI.UTF-8"
    keyboard: str = "fi"
    timezone: str = "Europe/Helsinki"
    hostname: str = "hymio"
    mirror: str = ""
    """`http://HOST/debian`; empty: the installer's own choice."""
    admin: str = "hymio-admin"
    admin_key: str = ""
    """One or more lines of an authorized_keys file; nobody can log in without."""

    def check(self) -> None:
        """Nothing here may add an answer or a command of its own. Raises StickError."""
        for name, pattern in _PLAIN.items():
            value = str(getattr(self, name))
            if not re.fullmatch(pattern, value):
                raise StickError(f"{name} {value!r} cannot be written to the installer's answers")
        if not self.mirror:
            return
        parts = urlsplit(self.mirror)
        if parts.scheme != "http" or not re.fullmatch(r"[A-Za-z0-9.:-]+", parts.netloc):
            raise StickError(
                f"{self.mirror!r} is not a mirror the installer can use: write"
                " http://HOST/debian (its files are signed, http is enough)"
            )
        if not re.fullmatch(r"(/[A-Za-z0-9._-]+)+", parts.path):
            raise StickError(f"{self.mirror!r} has no folder: write http://HOST/debian")


def admin_key(path: Path) -> str:
    """The public keys in a file. Raises StickError; a private one is never copied."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StickError(f"{path} cannot be read: {error}") from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or not all(line.startswith(KEY_TYPES) for line in lines):
        raise StickError(f"{path} is not a public SSH key: give the file that ends with .pub")
    return "".join(f"{line}\n" for line in lines)


def texts(settings: Settings) -> dict[str, str]:
    """Path on the stick to content: answers and scripts. Raises StickError."""
    settings.check()
    values = {
        "LOCALE": settings.locale,
        "KEYBOARD": settings.keyboard,
        "TIMEZONE": settings.timezone,
        "HOSTNAME": settings.hostname,
        "MIRROR": _mirror(settings.mirror),
        "ADMIN": settings.admin,
        "ERASE": "true" if settings.erase else "false",
        "INCLUDE": "openssh-server sudo" if settings.admin_key else "",
    }
    folder = example_config() / "os" / "installer"
    found = {
        "preseed.cfg" if name == "preseed.cfg" else f"{FOLDER}/{name}": re.sub(
            r"@([A-Z_]+)@", lambda match: values[match[1]], (folder / name).read_text("utf-8")
        )
        for name in ("preseed.cfg", *SCRIPTS)
    }
    if settings.admin_key:
        found[f"{FOLDER}/admin.pub"] = settings.admin_key
    return found


def _mirror(address: str) -> str:
    """The answers that name a mirror; without them the installer takes Debian's for the country."""
    if not address:
        return ""
    parts = urlsplit(address)
    return (
        "d-i mirror/country string manual\n"
        "d-i mirror/protocol string http\n"
        f"d-i mirror/http/hostname string {parts.netloc}\n"
        f"d-i mirror/http/directory string {parts.path}\n"
    )


def grub(kernel: str, initrd: str, *, answers: str = "") -> str:
    """A start menu for UEFI (and GRUB on BIOS): install after ten seconds."""
    return f"""# Written by `hymio fleet stick`.
set default=0
set timeout=10
menuentry "Install the Hymio terminal" {{
    linux {kernel} {_arguments(answers)}
    initrd {initrd}
}}
menuentry "Install with questions" {{
    linux {kernel} --- quiet
    initrd {initrd}
}}
"""


def isolinux(kernel: str, initrd: str) -> str:
    """The same for BIOS."""
    return f"""# Written by `hymio fleet stick`.
default hymio
prompt 1
timeout 100
say Installing the Hymio terminal in 10 seconds. Type "questions" to be asked instead.
label hymio
    kernel {kernel}
    append initrd={initrd} {_arguments("")}
label questions
    kernel {kernel}
    append initrd={initrd} --- quiet
"""


def _arguments(answers: str) -> str:
    file = f" preseed/file={answers}" if answers else ""
    return f"auto=true priority=critical{file} --- quiet"
