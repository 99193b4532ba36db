"""The stage of the demo: a PostgreSQL, the monolith and the delivery service in it, and a bridge in a thread."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from urllib.parse import unquote, urlsplit

from figbridge import bootstrap
from figbridge.demo.delivery import DeliveryService
from figbridge.demo.monolith.shop import Monolith
from figbridge.demo.watch import Watch
from figbridge.errors import FigbridgeError, Unreachable
from figbridge.operations.bridge import Bridge, wait_streaming
from figbridge.settings import Settings, Source
from figbridge.telemetry.events import telling

ORDERS = 12
_STOP_S = 30.0


@dataclass(slots=True)
class Stage:
    """Everything the story needs."""

    settings: Settings
    bridge: Bridge
    shop: Monolith
    delivery: DeliveryService
    watch: Watch
    thread: threading.Thread
    stop: threading.Event
    failures: list[BaseException]

    def stream(self) -> None:
        """Start the bridge and wait until Debezium streams both databases."""
        self.thread.start()
        try:
            wait_streaming(self.bridge.streams.values())
        except FigbridgeError:
            self.check()
            raise

    def check(self) -> None:
        """Raise what the bridge failed of, if it did."""
        if self.failures:
            raise self.failures[0]

    def end(self) -> None:
        """Stop the bridge at an edge, with everything committed. Raises what it failed of."""
        self.stop.set()
        if self.thread.is_alive():
            self.thread.join(_STOP_S)
        self.check()
        if self.thread.is_alive():
            raise Unreachable(f"the bridge did not stop within {_STOP_S:.0f} s", hint="see bridge.log")


@contextmanager
def stage(mappings: Path, folder: Path | None = None) -> Iterator[Stage]:
    """Set the stage in a folder, by default a temporary one that is removed at the end."""
    with ExitStack() as stack:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="figbridge-demo-"))
            folder.chmod(0o755)  # PostgreSQL may run under another account and must get through
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        log_file = stack.enter_context((folder / "bridge.log").open("a", encoding="utf-8"))
        stack.enter_context(telling(log_file))
        server = stack.enter_context(bootstrap.postgres(folder / "postgres"))
        sources = {name: _source(server.url(), name) for name in ("legacy", "delivery")}
        _create_databases(server.url(), ("legacy", "delivery"))
        shop = stack.enter_context(Monolith(server.url("legacy"), Random(7), _now))  # noqa: S311 — invented data
        delivery = stack.enter_context(DeliveryService(server.url("delivery"), Random(8), _now))  # noqa: S311
        shop.create_schema()
        delivery.create_schema()
        shop.seed(ORDERS)
        settings = Settings(mappings=mappings, data=folder / "data", sources=sources)
        watch = Watch()
        bridge = stack.enter_context(bootstrap.bridge(settings, _now(), "demo", watch.observe))
        yield _stage(settings, bridge, shop, delivery, watch, stack)


def _stage(
    settings: Settings, bridge: Bridge, shop: Monolith, delivery: DeliveryService, watch: Watch, stack: ExitStack
) -> Stage:
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            bridge.run(stop.is_set)
        except BaseException as error:  # noqa: BLE001 — it is raised again in the story's thread
            failures.append(error)
            watch.fail()

    thread = threading.Thread(target=run, name="bridge", daemon=True)
    made = Stage(settings, bridge, shop, delivery, watch, thread, stop, failures)

    def end() -> None:
        stop.set()
        if thread.is_alive():
            thread.join(_STOP_S)

    stack.callback(end)
    return made


def _now() -> datetime:
    return datetime.now(UTC)


def _source(url: str, database: str) -> Source:
    at = urlsplit(url)
    return Source.model_validate(
        {
            "host": at.hostname,
            "port": at.port,
            "user": unquote(at.username or "postgres"),
            "password": unquote(at.password or ""),
            "database": database,
            "heartbeat_ms": 500,
        }
    )


def _create_databases(url: str, names: tuple[str, ...]) -> None:
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
