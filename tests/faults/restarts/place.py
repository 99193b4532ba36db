"""A connector over one database and one process of the bridge behind it, worked as a person does: by commands."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests
import yaml

from faults.restarts.databases import MariaDb, Postgres
from faults.restarts.patience import ask
from faults.restarts.topics import SourceLog, Told

if TYPE_CHECKING:
    from support.servers import LocalServers

END_S = 60.0

STOCK = """
mapping: stock
version: 1
source: {{table: {0}, key: item_cd}}
about: {{aggregate: Stock, id: "stock-{{item_cd}}"}}
read: {{no: {{int: no}}, onHand: {{int: on_hand}}}}
facts: {{stock.level: [no, onHand]}}
events:
  Counted: {{when: appears, tell: [no, onHand], fact: stock.level}}
  Moved: {{when: rekeyed, tell: [no, onHand], fact: stock.level}}
  Gone: {{when: disappears, tell: [], fact: stock.level}}
silent: [no changes, onHand changes]
snapshot: {{type: StockKnown, tell: [no, onHand]}}
"""


class Place:
    """Own a database, its connector, a bridge that runs, and consumers of what both say."""

    def __init__(self, folder: Path, servers: LocalServers, name: str, kind: str, more: dict[str, str]) -> None:
        self.folder, self.servers, self.name = folder, servers, name
        self.database = (Postgres if kind == "postgres" else MariaDb)(getattr(servers, kind), name)
        self.more = more
        self._write()

    def __enter__(self) -> Self:
        self.command("connectors", "apply", "-o", "json")
        with (self.folder / "bridge.log").open("ab") as out:
            words = ["run", "--from", "earliest", "--log-format", "json", "--settings", str(self.settings)]
            self._bridge = subprocess.Popen(
                [sys.executable, "-m", "figbridge", *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.log = SourceLog(self.servers.bootstrap, f"{self.name}.legacy.log")
        self.told = Told(self.servers.bootstrap, f"{self.name}.domain.stock")
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()
        self.told.close()
        self._bridge.send_signal(signal.SIGTERM)
        try:
            self._bridge.wait(END_S)
        finally:
            self._bridge.kill()
            self._bridge.wait()
        ask("delete", self.connector)
        self.database.leave()

    @property
    def settings(self) -> Path:
        """Return the settings file."""
        return self.folder / "figbridge.yaml"

    @property
    def connector(self) -> str:
        """Return the connector's address in Connect's REST interface."""
        return f"{self.servers.connect}/connectors/{self.name}-legacy"

    @property
    def version(self) -> str:
        """Return the version of Debezium that the connector runs."""
        return str(requests.get(f"{self.connector}/status", timeout=60).json()["connector"]["version"])

    def command(self, *words: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run a command of figbridge, and return what it printed as JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "figbridge", *words, "--settings", str(self.settings)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in codes, done.stdout[-2000:] + done.stderr[-2000:]
        return json.loads(done.stdout)

    def noticed(self, event: str, since: int) -> list[dict[str, Any]]:
        """Return what the bridge has logged under a name, but for the first ones. Fails when it has ended."""
        assert self._bridge.poll() is None, (self.folder / "bridge.log").read_text()[-4000:]
        lines = (self.folder / "bridge.log").read_text().splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{") and f'"{event}"' in line]
        return [each for each in found if each["event"] == event][since:]

    def _write(self) -> None:
        at = self.database.at
        (self.folder / "connect").mkdir(parents=True)
        (self.folder / "mappings").mkdir()
        (self.folder / "mappings" / "stock.yaml").write_text(STOCK.format(self.database.table), encoding="utf-8")
        (self.folder / "password").write_text(at.password, encoding="utf-8")
        kind = self.database.kind
        reached = {"kind": kind, "host": at.inside_host, "port": at.inside_port}
        if kind == "postgres":
            reached["name"] = self.name
        document = {
            "connector": "legacy",
            "database": {**reached, "user": at.user_ref, "password": at.password_ref},
            "log": {"retention": "1d"},
            "kafka": {"servers": self.servers.inside_bootstrap},
            "heartbeat": "500ms",
            "more": self.more,
        }
        account = {"kind": kind, "host": at.host, "port": at.port, "user": at.user, "database": self.name}
        settings = {
            "mappings": str(self.folder / "mappings"),
            "data": str(self.folder / "data"),
            "log": "kafka",
            "group": self.name,
            "topic_prefix": self.name,
            "domain_partitions": 1,  # a move is told under the new key: only in one partition it stands after the old
            "kafka": {"servers": self.servers.bootstrap},
            "connect": {"url": self.servers.connect, "documents": str(self.folder / "connect")},
            "sources": {"legacy": {**account, "password_file": str(self.folder / "password")}},
        }
        (self.folder / "connect" / "legacy.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        self.settings.write_text(yaml.safe_dump(settings), encoding="utf-8")
