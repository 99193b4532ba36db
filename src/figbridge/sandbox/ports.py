"""Free ports on the loopback interface, and whether somebody answers on one."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"

# Below the range from which the kernel takes the local ports of outgoing connections (32768 and up on Linux): a port
# chosen there could be in use by a client when its server starts again.
_LOWEST, _HIGHEST = 20_000, 32_700


def free_port() -> int:
    """Return a port that nobody listens on; chosen at random, so that two who ask at once rarely get the same."""
    while True:
        port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 — no secret
        if not in_use(port):
            return port


def in_use(port: int) -> bool:
    """Say whether a server could not listen on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what was closed just now is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False


def ask(port: int, question: bytes, length: int, timeout_s: float = 2.0) -> bytes:
    """Send bytes to a port and return the first bytes of the answer; none when nobody answers in time.

    A process that is stopped still accepts connections (the kernel does): only an answer shows that it lives.
    """
    try:
        with socket.create_connection((HOST, port), timeout_s) as line:
            line.settimeout(timeout_s)
            line.sendall(question)
            return line.recv(length)
    except OSError:
        return b""
