"""Loops a team would write itself, with confluent-kafka: `python -m benchmarks.kafka.loops passthrough|naive`.

`passthrough` copies every record in transactions, and is the least that an exactly-once bridge in Python costs.
`naive` decodes with json, makes the event, and produces without transactions.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.kafka.task import BOOTSTRAP, COMMIT_S, CONSUMER, GROUP, LOGS, OUT, PRODUCER, changed, event

_BATCH = 500


def naive(value: bytes) -> bytes | None:
    """Return the event of a record, or None."""
    row = json.loads(value)
    return json.dumps(event(row)).encode() if changed(row) else None


class Loop:
    """One consumer, one producer; with a transaction, or with commits after a flush."""

    def __init__(self, handle: Callable[[bytes], bytes | None] | None, *, transactions: bool) -> None:
        self.handle = handle
        self.transactions = transactions
        self.consumer = Consumer(
            {
                "bootstrap.servers": BOOTSTRAP, "group.id": GROUP, "auto.offset.reset": "earliest",
                "enable.auto.commit": False, "enable.auto.offset.store": False, "isolation.level": "read_committed",
                **CONSUMER,
            }
        )  # fmt: skip
        extra = {"transactional.id": GROUP, "transaction.timeout.ms": 60_000} if transactions else {}
        self.producer = Producer({"bootstrap.servers": BOOTSTRAP, "enable.idempotence": True, **PRODUCER, **extra})
        self.next: dict[tuple[str, int], int] = {}
        self.running = True

    def commit(self) -> None:
        if not self.next:
            return
        offsets = [TopicPartition(topic, p, o) for (topic, p), o in self.next.items()]
        if self.transactions:
            self.producer.send_offsets_to_transaction(offsets, self.consumer.consumer_group_metadata())
            self.producer.commit_transaction()
        else:
            self.producer.flush()
            self.consumer.commit(offsets=offsets, asynchronous=False)
        self.next.clear()

    def run(self) -> None:
        if self.transactions:
            self.producer.init_transactions()
        self.consumer.subscribe(list(LOGS))
        produce, handle, deadline = self.producer.produce, self.handle, 0.0
        while self.running:
            messages = self.consumer.consume(_BATCH, 0.05 if self.next else 0.1)
            if messages and not self.next:
                if self.transactions:
                    self.producer.begin_transaction()
                deadline = time.monotonic() + COMMIT_S
            for message in messages:
                if message.error() is not None:
                    raise RuntimeError(message.error())
                value = message.value()
                if handle is not None:
                    value = handle(value)
                if value is not None:
                    produce(OUT, value, message.key())
                self.next[message.topic(), message.partition()] = message.offset() + 1
            self.producer.poll(0)
            if self.next and time.monotonic() >= deadline:
                self.commit()
        self.commit()
        self.consumer.close()

    def stop(self, *_: object) -> None:
        self.running = False


if __name__ == "__main__":
    loop = Loop(None, transactions=True) if sys.argv[1] == "passthrough" else Loop(naive, transactions=False)
    signal.signal(signal.SIGTERM, loop.stop)
    loop.run()
