"""One process of a bridge on Kafka, for tests that kill it: works until it is told to stop.

Called with the brokers, the prefix of the topics, the group and a folder.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from figbridge import bootstrap
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.operations.authority import declare
from figbridge.operations.bridge import Bridge
from figbridge.pipeline.pace import Pace
from figbridge.pipeline.perform import Topics
from figbridge.ports import EARLIEST
from support.histories import everything
from support.rig import NOON, facts_of, plan_of


def main(servers: str, prefix: str, group: str, folder: str) -> None:
    """Run a bridge over the monolith's log, with everything as in production but the authority store."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    plan, topics = plan_of((everything(),)), Topics(prefix)
    store = MemoryAuthorityStore()
    declare(store, facts_of(plan), NOON, "test")
    cluster = Cluster(servers, session_timeout_ms=6_000, max_poll_interval_ms=30_000)
    log = KafkaLog(cluster, Path(folder))
    source = topics.log("legacy")
    bridge = Bridge(
        plan,
        log,
        store,
        bootstrap.edge(plan, topics),
        {source: "legacy"},
        group,
        batch=20,  # many commits, so that kills fall between and into them
        start={source: EARLIEST},
        pace=Pace(),
    )
    bridge.run(lambda: bool(stopped))
    log.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
