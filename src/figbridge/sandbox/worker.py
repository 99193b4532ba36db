"""One worker of Kafka Connect, distributed and exactly once, with Debezium's plugins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figbridge.sandbox import ports
from figbridge.sandbox.jvm import Jvm, properties
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.server import Server

GROUP = "sandbox-connect"

_MAIN = "org.apache.kafka.connect.cli.ConnectDistributed"


class Worker(Server):
    """Own one Connect worker. Workers of one sandbox share the group, so a connector survives the loss of one.

    `plugins` are folders of plugins. `secrets` is the one folder from which `${file:PATH:NAME}` references are read.
    """

    start_s = 240.0

    def __init__(
        self,
        folder: Path,
        *,
        jvm: Jvm,
        plugins: Sequence[Path],
        bootstrap: str,
        copies: int,
        secrets: Path,
        number: int = 1,
        port: int = 0,
        heap_mb: int = 1024,
    ) -> None:
        super().__init__(f"connect-{number}", folder, port)
        self._jvm = jvm
        self._plugins = plugins
        self._bootstrap = bootstrap
        self._copies = copies
        self._secrets = secrets
        self._heap_mb = heap_mb

    @property
    def address(self) -> str:
        """Return the URL of its REST interface."""
        return f"http://{HOST}:{self.port}"

    def prepare(self) -> None:
        """Write the settings; the worker does not start when the folder of secrets is missing."""
        self._secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "connect.properties").write_text(properties(self._settings()), encoding="utf-8")

    def command(self) -> Sequence[str]:
        """Return the call of the worker."""
        settings = str(self.folder / "connect.properties")
        return self._jvm.command(self.folder, _MAIN, settings, heap_mb=self._heap_mb)

    def stop(self) -> bool:
        """Stop the worker in order: its tasks commit, and the others take them over."""
        graceful = super().stop()
        self._jvm.keep_classes(self.folder, _MAIN)
        return graceful

    def answers(self) -> bool:
        """Say whether the REST interface answers, whatever it says."""
        return self._health().startswith(b"HTTP/1.1 ")

    def ready(self) -> bool:
        """Say whether the worker has joined its group: before that it refuses what it is asked."""
        return self._health().startswith(b"HTTP/1.1 200")

    def _health(self) -> bytes:
        return ports.ask(self.port, b"GET /health HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n", 12)

    def _settings(self) -> dict[str, object]:
        json = "org.apache.kafka.connect.json.JsonConverter"
        return {
            "bootstrap.servers": self._bootstrap,
            "group.id": GROUP,
            "listeners": self.address,
            "rest.advertised.host.name": HOST,
            "exactly.once.source.support": "enabled",
            "plugin.path": ",".join(str(folder) for folder in self._plugins),
            "plugin.discovery": "service_load",  # without looking into every class of every library: seconds less
            "config.storage.topic": "sandbox-connect-configs",
            "config.storage.replication.factor": self._copies,
            "offset.storage.topic": "sandbox-connect-offsets",
            "offset.storage.replication.factor": self._copies,
            "offset.storage.partitions": 4,
            "status.storage.topic": "sandbox-connect-status",
            "status.storage.replication.factor": self._copies,
            "status.storage.partitions": 2,
            "key.converter": json,
            "key.converter.schemas.enable": "false",
            "value.converter": json,
            "value.converter.schemas.enable": "false",
            "config.providers": "file",
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            "config.providers.file.param.allowed.paths": self._secrets,
            # How long the tasks of a worker that was lost wait for it to come back; five minutes by default.
            "scheduled.rebalance.max.delay.ms": 3_000,
        }
