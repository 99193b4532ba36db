"""Ask where groups stand that the brokers never heard of, in a process of its own: such a question has ended processes.

Called with the brokers; prints what it was told.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread
from uuid import uuid4

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog


def main(servers: str) -> None:
    """Ask for many groups at a time: each has a coordinator that may still be loading."""
    log, told = KafkaLog(Cluster(servers, patience_s=60.0), Path("none")), list[object]()
    log.create("figbridge.unknown")

    def ask() -> None:
        told.extend(log.committed(f"unknown-{uuid4().hex}") for _ in range(10))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    print(told == [{}] * 40)  # noqa: T201 — the test reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
