"""Several threads that are the first to decode into a type of message: found by the drill."""

from __future__ import annotations

import subprocess
import sys

AT_ONCE = """
import gc, importlib, sys, threading
import msgspec
from sync.contract.settled import settle

BODY = (b'{"v":1,"centre":"c","digest":"d","epoch":"e","received_at":"r","have":1,'
        b'"exceptions":[{"seq":1,"verdict":"held","code":"c"}],"next":{"after_s":1}}')
sys.setswitchinterval(1e-6)
for _ in range(60):
    sys.modules.pop("sync.contract.wire", None)
    kind = importlib.import_module("sync.contract.wire").Receipt
    gc.collect()
    settle()
    meet = threading.Barrier(8)

    def decode():
        meet.wait()
        msgspec.json.decode(BODY, type=kind)

    threads = [threading.Thread(target=decode) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_threads_that_decode_a_type_for_the_first_time_at_once_do_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, check=False)
    # Without `settle` it is SIGSEGV.
    assert done.returncode == 0, done.stderr[-2000:]
