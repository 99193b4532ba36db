"""One Kafka broker of a KRaft cluster; each is a controller as well."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from figbridge.errors import Unreachable
from figbridge.sandbox import ports
from figbridge.sandbox.jvm import Jvm, properties
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.server import Server

# One for all: a client of yesterday's sandbox meets its cluster again, and nobody confuses two on one computer.
CLUSTER = "ZmlnYnJpZGdlLXNhbmRib3"

_MAIN = "kafka.Kafka"
_STARTED = b"Kafka Server started"  # its port opens a moment before it may be used
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)  # length, which request, its version, a number, no client name


class Broker(Server):
    """Own one Kafka broker. `members` are the controller ports of all brokers of the cluster by their number.

    With one broker everything is kept once; with three every internal topic is kept three times and two must have it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        jvm: Jvm,
        number: int = 1,
        port: int = 0,
        members: Mapping[int, int] | None = None,
        heap_mb: int = 1024,
    ) -> None:
        super().__init__(f"kafka-{number}", folder, port)
        self._jvm = jvm
        self._number = number
        self._members = dict(members) if members else {number: ports.free_port()}
        self._heap_mb = heap_mb

    @property
    def address(self) -> str:
        """Return the address that clients connect to."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the settings, and format the storage once."""
        settings = self.folder / "server.properties"
        settings.write_text(properties(self._settings()), encoding="utf-8")
        if (self.folder / "data" / "meta.properties").exists():
            return
        words = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(settings)]
        command = self._jvm.command(self.folder, *words, heap_mb=128)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        self._jvm.keep_classes(self.folder, words[0])
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Unreachable(f"{self.name}: its storage cannot be formatted: {said[-1] if said else 'no reason'}.")

    def command(self) -> Sequence[str]:
        """Return the call of the broker."""
        settings = str(self.folder / "server.properties")
        return self._jvm.command(self.folder, _MAIN, settings, heap_mb=self._heap_mb)

    def stop(self) -> bool:
        """Stop the broker in order: it hands its partitions over and closes its files."""
        graceful = super().stop()
        self._jvm.keep_classes(self.folder, _MAIN)
        return graceful

    def answers(self) -> bool:
        """Ask which requests the broker knows: it answers to anybody."""
        return len(ports.ask(self.port, _API_VERSIONS, 8)) == 8

    def ready(self) -> bool:
        """Say whether the broker has joined its cluster and takes records."""
        try:
            return _STARTED in self.log.read_bytes() and self.answers()
        except OSError:
            return False

    def _settings(self) -> dict[str, object]:
        copies = min(3, len(self._members))
        enough = max(1, copies - 1)
        return {
            "process.roles": "broker,controller",
            "node.id": self._number,
            "controller.quorum.voters": ",".join(f"{n}@{HOST}:{port}" for n, port in self._members.items()),
            "listeners": f"CLIENT://{self.address},CONTROLLER://{HOST}:{self._members[self._number]}",
            "advertised.listeners": f"CLIENT://{self.address}",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": self.folder / "data",
            "default.replication.factor": copies,
            "min.insync.replicas": enough,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": enough,
            # Fifty partitions each, the default, are a hundred files and a second of start-up for nobody.
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0,
            # How long a broker that was killed still counts as there, and its own next start waits; 9 s by default.
            "broker.session.timeout.ms": 4_000,
            "broker.heartbeat.interval.ms": 500,
            # As on a well-kept cluster: topics are made on purpose, so a wrong name shows.
            "auto.create.topics.enable": "false",
            "controlled.shutdown.enable": "true",
            # A takeover is tried out with shorter sessions than the 6 s that brokers allow by default.
            "group.min.session.timeout.ms": 1_000,
        }
