"""The bridge as it runs in production, over four source logs of one kind: `python -m benchmarks.kafka.bridge`.

Everything is on: the authority's shared lock and look-ups, both ledgers, suspects, figures, the log of events. Only the
connectors are missing; the logs were filled before.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.kafka.task import BOOTSTRAP, COMMIT_S, GROUP, LOGS
from benchmarks.rows import MAPPING
from figbridge import bootstrap
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.adapters.sql.authority_store import SqlAuthorityStore
from figbridge.mapping.loader import Documents, parse_mapping
from figbridge.operations.bridge import Bridge
from figbridge.operations.figures import Figures
from figbridge.operations.lag import Lag
from figbridge.pipeline.pace import Pace
from figbridge.pipeline.perform import Topics
from figbridge.ports import EARLIEST
from figbridge.telemetry.events import configure
from figbridge.telemetry.health import Health
from figbridge.telemetry.metrics import keep


def main() -> None:
    configure(json=True)
    keep()
    folder = Path(os.environ["BENCH_FOLDER"])
    documents = Documents((parse_mapping(MAPPING, "benchmarks/rows.py"),))
    plan = bootstrap.plan(documents)
    edge = bootstrap.edge(plan, Topics(f"bench-{GROUP}"))
    logs = {log: log.split(".")[1] for log in LOGS}
    log = KafkaLog(Cluster(BOOTSTRAP), folder / "state")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with SqlAuthorityStore(f"sqlite:///{folder / 'authority.db'}") as store:
        store.migrate()
        bridge = Bridge(
            plan=plan,
            log=log,
            store=store,
            edge=edge,
            sources=logs,
            group=GROUP,
            start=dict.fromkeys(LOGS, EARLIEST),
            pace=Pace(seconds=float(os.environ.get("BENCH_PACE_S", "0.05")), backlog_seconds=COMMIT_S, records=100_000),
            figures=Figures(logs.values(), time.time),
            lag=Lag(log, GROUP, logs, edge, time.time),
            health=Health(time.monotonic),
        )
        bridge.prepare(bootstrap.undeclared(documents), datetime.now(UTC), "benchmark")
        bridge.run(stop.is_set)
    log.close()


if __name__ == "__main__":
    main()
