"""Run one engine over a SQLite log until standard input closes, or until this process is killed.

Says `started`, `streaming`, `stopped RESENT`, and `holding` when so many records of one transaction wait for its END.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from figbridge.adapters.engine.debezium import Engine
from figbridge.adapters.engine.settings import EngineConfig
from figbridge.adapters.sqlite import SqliteLog


def main(folder: Path, settings: dict[str, object], holding: int) -> None:
    """Run the engine."""
    config = EngineConfig(**{name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()})  # type: ignore[arg-type]
    log = SqliteLog(folder / "log.db")
    engine = Engine(config, log, folder / "engine")
    engine.start()
    if holding:
        threading.Thread(target=say_holding, args=(engine, holding), daemon=True).start()
    print("started", flush=True)  # noqa: T201
    engine.wait_streaming(120)
    print("streaming", flush=True)  # noqa: T201
    sys.stdin.read()
    engine.stop()
    print(f"stopped {engine.resent}", flush=True)  # noqa: T201
    log.close()


def say_holding(engine: Engine, holding: int) -> None:
    """Say once that so many records wait."""
    pause = threading.Event()
    while engine.waiting < holding:
        pause.wait(0.005)
    print("holding", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]))
