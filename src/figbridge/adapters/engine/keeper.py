"""Run one PostgreSQL server for as long as the process that started this one lives.

The owner holds the other end of standard input. When it closes it, or dies (kill -9 included), the read below returns
and the server is stopped. No signal of the kernel is needed, so it does not matter which thread of the owner it was.

Usage: python -I keeper.py UID GID COMMAND…  (UID -1: the same account)
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

FAST_S = 15.0
"""After this time a server that still waits for its clients is stopped without them (its log makes it whole)."""


def main(uid: int, gid: int, command: list[str]) -> int:
    """Start the server and wait for the owner or for the server, whichever ends first. Returns the server's code."""
    account = {"user": uid, "group": gid, "extra_groups": []} if uid >= 0 else {}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, **account)  # type: ignore[call-overload] # noqa: S603

    def ended() -> None:
        os._exit(server.wait())

    threading.Thread(target=ended, daemon=True).start()
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    server.send_signal(signal.SIGINT)
    try:
        return int(server.wait(FAST_S))
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        return int(server.wait())


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
