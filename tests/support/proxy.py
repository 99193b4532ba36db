"""A proxy on loopback before a Kafka broker: it can hold the answer to one kind of request back."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

END_TXN = 26

_KEY = struct.Struct(">hhi")  # which request, its version, its number


class Proxy:
    """Forward each connection to a broker. While `hold` is set, the next answers to such requests wait."""

    def __init__(self, port: int, target: int) -> None:
        self.held = threading.Event()
        """Set when an answer is being held back."""
        self._kind: int | None = None
        self._free = threading.Event()
        self._target = target
        self._server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, kind: int) -> None:
        """Hold back the answer to the next request of a kind, until `release`."""
        self.held.clear()
        self._free.clear()
        self._kind = kind

    def release(self) -> None:
        """Let go of what is held back."""
        self._kind = None
        self._free.set()

    def close(self) -> None:
        """Take no more connections."""
        self.release()
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        held: set[int] = set()
        with (
            suppress(OSError),
            closing(client),
            closing(socket.create_connection(("127.0.0.1", self._target))) as broker,
        ):
            answers = threading.Thread(target=self._answers, args=(broker, client, held), daemon=True)
            answers.start()
            for frame in _frames(client):
                kind, _, number = _KEY.unpack_from(frame, 4)
                if kind == self._kind:
                    self._kind = None
                    held.add(number)
                broker.sendall(frame)

    def _answers(self, broker: socket.socket, client: socket.socket, held: set[int]) -> None:
        with suppress(OSError):
            for frame in _frames(broker):
                (number,) = struct.unpack_from(">i", frame, 4)
                if number in held:
                    self.held.set()
                    self._free.wait(60.0)
                client.sendall(frame)
            client.shutdown(socket.SHUT_RDWR)


def _frames(source: socket.socket) -> Iterator[bytes]:
    while head := _exactly(source, 4):
        (length,) = struct.unpack(">i", head)
        yield head + _exactly(source, length)


def _exactly(source: socket.socket, length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        part = source.recv(length - len(found))
        if not part:
            return b""
        found += part
    return bytes(found)


@contextmanager
def proxied(port: int, target: int) -> Iterator[Proxy]:
    """Run a proxy on a port before another."""
    proxy = Proxy(port, target)
    try:
        yield proxy
    finally:
        proxy.close()
