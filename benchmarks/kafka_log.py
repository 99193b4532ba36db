"""The bridge over Kafka beside a bare transactional passthrough: the same source log and commit interval, in one run.

Name a broker with FIGBRIDGE_BENCH_KAFKA (host:port; `figbridge sandbox up kafka` starts one).
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.rows import MAPPING, records
from benchmarks.setting import TOPIC, interleaved, setting, spread
from figbridge import bootstrap
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.mapping.loader import Documents, parse_mapping
from figbridge.operations.authority import declare
from figbridge.operations.bridge import create_topics
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import BY_TIME, Workers
from figbridge.ports import EARLIEST, Outgoing

ROWS = int(os.environ.get("FIGBRIDGE_BENCH_ROWS", "300000"))
ROUNDS = int(os.environ.get("FIGBRIDGE_BENCH_ROUNDS", "3"))
INTERVAL_S = BY_TIME.backlog_seconds
ENTRIES = 1_000_000


def passthrough(servers: str, source: str, target: str, total: int) -> None:
    """Read and write each record as it is, in transactions, with plain clients."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": target,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.min.bytes": 1_000_000,
            "fetch.wait.max.ms": 20,
            "fetch.queue.backoff.ms": 10,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": target,
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 500_000,
        }
    )
    producer.init_transactions()
    consumer.subscribe([source])
    read = 0
    while read < total:
        producer.begin_transaction()
        began = time.monotonic()
        while time.monotonic() - began < INTERVAL_S and read < total:
            for message in consumer.consume(500, 0.05):
                if message.error() is None:
                    producer.produce(target, message.value(), message.key())
                    read += 1
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()) or [TopicPartition(source, 0, read)],
            consumer.consumer_group_metadata(),
        )
        producer.commit_transaction()
    consumer.close()


def main() -> None:
    servers = os.environ.get("FIGBRIDGE_BENCH_KAFKA")
    if not servers:
        print("\nKafka log: not measured; name a broker with FIGBRIDGE_BENCH_KAFKA")
        return
    plan, edge, _ = setting()
    run = uuid4().hex[:6]
    with tempfile.TemporaryDirectory() as folder:
        log = KafkaLog(Cluster(servers), Path(folder))
        create_topics(log, plan, edge.topics, [], 4)
        source = f"{TOPIC}-{run}"
        log.create(source)
        store = MemoryAuthorityStore()
        declare(store, bootstrap.undeclared(Documents((parse_mapping(MAPPING),))), bootstrap.EPOCH, "benchmark")
        total = 0
        pending: list[Outgoing] = []
        for record in records(ROWS, TOPIC):
            pending.append(Outgoing(source, record.key, record.value, record.headers, record.timestamp, 0))
            total += 1
            if len(pending) == 20_000:
                log.append(pending)
                pending = []
        log.append(pending)
        walls: dict[str, list[float]] = {"passthrough": [], "bridge": []}
        serial = iter(range(1_000))

        def copy() -> None:
            target = f"copy{next(serial)}-{run}"
            log.create(target)
            passthrough(servers, source, target, total)

        def bridge() -> None:
            member = log.join(f"bench{next(serial)}-{run}", [source], [], {source: EARLIEST})
            made: list[Process] = []

            def make(_: tuple[str, ...], session) -> Process:  # type: ignore[no-untyped-def]
                made.append(Process(plan, session.state, {source: "legacy"}, edge))
                return made[-1]

            workers = Workers(member, make, store, 1000, None, BY_TIME)
            read = 0
            while read < total:
                read += workers.step(0.1)
            assert made[0].account.records["read"] == total
            assert made[0].account.balanced
            member.close()

        def timed(name: str, work) -> float:  # type: ignore[no-untyped-def]
            began, cpu = time.perf_counter(), time.process_time()
            work()
            walls[name].append(total / (time.perf_counter() - began))
            return (time.process_time() - cpu) / total * 1e6

        works = {"passthrough": lambda: timed("passthrough", copy), "bridge": lambda: timed("bridge", bridge)}
        cpus = interleaved(ROUNDS, works)
        print(f"\nKafka log: {total:,} records, commits by time; median (min-max); load {os.getloadavg()[0]:.1f}")
        for name in cpus:
            rates = [w / 1000 for w in walls[name]]
            print(f"  {name:<12}{spread(rates):>24} k records/s{spread(cpus[name]):>24} CPU µs a record")
        ratios = [b / c for b, c in zip(walls["bridge"], walls["passthrough"], strict=True)]
        of_cpu = [b / c for b, c in zip(cpus["bridge"], cpus["passthrough"], strict=True)]
        print(
            f"  bridge / passthrough: {statistics.median(ratios):.2f} in records/s,"
            f" {statistics.median(of_cpu):.2f} in CPU"
        )
        log.close()


if __name__ == "__main__":
    main()
