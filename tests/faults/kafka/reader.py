"""A consumer in a process of its own, with its own code: it writes down every committed record, as a line of JSON.

reader.py SERVERS PREFIX FILE: follows the topics whose names begin with PREFIX, from their beginning, until its
standard input ends and nothing new has come for a while. Of source logs it writes no value: they are counted only.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from confluent_kafka import Consumer, TopicPartition

LOOK_S = 0.2
QUIET_S = 3.0
FIND_S = 2.0


def main(servers: str, prefix: str, out: TextIO) -> None:
    """Follow the topics."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    consumer = Consumer({
        "bootstrap.servers": servers, "group.id": f"judge-{prefix}", "isolation.level": "read_committed",
        "enable.auto.commit": False, "auto.offset.reset": "error", "reconnect.backoff.max.ms": 1000, "log_level": 0,
    })  # fmt: skip
    at: dict[tuple[str, int], int] = {}
    found = quiet = time.monotonic()
    while not (ended.is_set() and time.monotonic() - quiet > QUIET_S):
        if not at or time.monotonic() - found > FIND_S:
            found = time.monotonic()
            find(consumer, prefix, at)
        for message in consumer.consume(2000, LOOK_S):
            if message.error() is not None:
                if message.error().fatal() or message.error().name() == "_AUTO_OFFSET_RESET":
                    raise SystemExit(f"the consumer failed: {message.error()}")
                continue
            if not message.topic().endswith(".log"):  # heartbeats never end
                quiet = time.monotonic()
            at[message.topic(), message.partition()] = message.offset() + 1
            out.write(json.dumps(line(message)) + "\n")
        out.flush()
    consumer.close()


def find(consumer: Consumer, prefix: str, at: dict[tuple[str, int], int]) -> None:
    """Add topics that are new; where reading stands stays."""
    try:
        topics = consumer.list_topics(timeout=5).topics
    except Exception:  # noqa: BLE001 — a broker that was killed is asked again
        return
    places = {(name, p) for name, topic in topics.items() if name.startswith(prefix) for p in topic.partitions}
    if places - set(at):
        at.update(dict.fromkeys(places - set(at), 0))
        consumer.assign([TopicPartition(*place, offset) for place, offset in at.items()])


def line(message: Any) -> list[Any]:
    """Return what is written down of a record: place, key, value, and when it was seen."""
    key, value = (None if b is None else b.decode("utf-8", "surrogateescape") for b in (message.key(), message.value()))
    if message.topic().endswith((".log", ".control")):
        key = value = None
    return [message.topic(), message.partition(), message.offset(), key, value, time.time()]


if __name__ == "__main__":
    with Path(sys.argv[3]).open("w", encoding="utf-8") as stream:
        main(sys.argv[1], sys.argv[2], stream)
