"""Run one engine over a SQLite log until standard input closes, or until this process is killed.

Says `started`, `streaming` and `stopped RESENT` on standard output.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from figbridge.adapters.engine.debezium import Engine
from figbridge.adapters.engine.settings import EngineConfig
from figbridge.adapters.sqlite import SqliteLog


def main(folder: Path, settings: dict[str, object]) -> None:
    config = EngineConfig(**{name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()})  # type: ignore[arg-type]
    log = SqliteLog(folder / "log.db")
    engine = Engine(config, log, folder / "engine")
    engine.start()
    print("started", flush=True)  # noqa: T201
    engine.wait_streaming(120)
    print("streaming", flush=True)  # noqa: T201
    sys.stdin.read()
    engine.stop()
    print(f"stopped {engine.resent}", flush=True)  # noqa: T201
    log.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
