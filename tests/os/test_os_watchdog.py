"""The sender as a service: what it tells systemd's socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path


def test_the_sender_says_ready_alive_and_stopping(tmp_path: Path) -> None:
    with (
        # A socket's address has room for 108 bytes, whatever the folder of tests is called.
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        address = Path(folder) / "notify"
        channel.bind(str(address))
        channel.settimeout(60)
        words = [sys.executable, "-m", "kiosk.cli", "sync", "--data", str(tmp_path / "data")]
        process = subprocess.Popen(
            words, env={**os.environ, "NOTIFY_SOCKET": str(address)}, stderr=subprocess.PIPE
        )
        try:
            heard = [channel.recv(100) for _ in range(4)]
            process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(channel.recv(100))
        finally:
            process.kill()
            process.communicate()
    # Not enrolled and without network it is alive all the same.
    assert heard[0] == b"READY=1"
    assert heard[1:-1] == [b"WATCHDOG=1"] * (len(heard) - 2)
    assert (tmp_path / "data" / "sender.json").is_file()


def test_without_a_service_manager_it_runs_as_well(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    words = [sys.executable, "-m", "kiosk.cli", "sync", "--once", "--data", str(tmp_path)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
