"""Word to the service manager that this process is alive (sd_notify); nothing without one."""

from __future__ import annotations

import contextlib
import os
import socket

# A service manager that does not read must not hold up whoever reports.
_KIND = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK


def notify(state: str) -> None:
    """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=…` to systemd's socket, if any."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, _KIND) as channel,
    ):
        channel.sendto(state.encode(), address)
