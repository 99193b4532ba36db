"""How old an event is when anybody may read it, and what the bridge costs meanwhile, at a low and steady rate.

First the bridge's own hop: a source transaction is written into the source log with the time of writing as its commit
time. The bridge gives events their transaction's commit time as timestamp, so a reader (read_committed) sees their age.
Then end to end: the shop commits in PostgreSQL, Debezium and Kafka Connect carry it. `BENCH_RATE` (1,000 rows/s) and
`BENCH_SECONDS` (40) say how fast and how long; a quarter of that goes by before it counts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from threading import Event, Thread

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.kafka.measure import Bench, running
from benchmarks.kafka.processes import cpu_seconds
from benchmarks.kafka.systems import System, environment, ours
from benchmarks.kafka.task import LOGS
from benchmarks.rows import records
from figbridge.demo.trial.files import prepare
from figbridge.ports import Record
from figbridge.sandbox import Sandbox

RATE = int(os.environ.get("BENCH_RATE", "1000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "40"))
ROOT = Path(__file__).parents[2]


class Writer(Thread):
    """Do something at a steady rate of rows until told to stop. `act` returns how many rows it was."""

    def __init__(self, act: Iterator[int]) -> None:
        super().__init__(daemon=True)
        self.stop, self.rows, self._act = Event(), 0, act

    def run(self) -> None:
        began = time.monotonic()
        while not self.stop.wait(max(0.0, began + self.rows / RATE - time.monotonic())):
            self.rows += next(self._act)


def written(bootstrap: str, logs: Sequence[str]) -> Iterator[int]:
    """Write source transactions, each to the next log, with the time of the moment; yields how many rows each had."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5})
    feeds = [records(10_000_000, log, seed=seed + 1) for seed, log in enumerate(logs)]
    while True:
        for feed in feeds:
            yield sum(_put(producer, record) for record in _until_end(feed))
            producer.poll(0)


def _until_end(feed: Iterator[Record]) -> Iterator[Record]:
    for record in feed:
        yield record
        if (record.value or b"").startswith(b'{"status":"END"'):
            return


def _put(producer: Producer, record: Record) -> bool:
    value = record.value or b""
    if value.startswith(b'{"status":"END"'):
        value = json.dumps({**json.loads(value), "ts_ms": time.time_ns() // 1_000_000}, separators=(",", ":")).encode()
    producer.produce(record.topic, value, record.key, 0, headers=list(record.headers))
    return b'"op":"u"' in value


def watch(what: str, bench: Bench, topics: list[str], bridge: subprocess.Popen[bytes], writer: Writer) -> None:
    """Print how old events are when they come, and which share of one core the bridge took; then end the writer."""
    consumer = Consumer({"bootstrap.servers": bench.box.bootstrap, "group.id": "ages", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "fetch.wait.max.ms": 100})  # fmt: skip
    known = bench.admin.list_topics(timeout=10).topics
    consumer.assign([TopicPartition(topic, p, 0) for topic in topics for p in known[topic].partitions])
    found: list[float] = []
    for seconds in (SECONDS / 4, SECONDS):
        found.clear()  # what came before it counted
        began, rows, cpu = time.monotonic(), writer.rows, cpu_seconds(bridge.pid)
        while time.monotonic() < began + seconds:
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                found.append(time.time_ns() / 1e6 - message.timestamp()[1])
    took = time.monotonic() - began
    share, rate = (cpu_seconds(bridge.pid) - cpu) / took, (writer.rows - rows) / took
    consumer.close()
    writer.stop.set()
    writer.join()
    cut = statistics.quantiles(found, n=100)
    print(
        f"  {what}, {rate:,.0f} rows/s: p50 {cut[49]:.0f} ms, p99 {cut[98]:.0f} ms, most {max(found):.0f} ms of"
        f" {len(found):,} events; the bridge took {share:.1%} of a core"
    )


def own_hop(folder: Path, logs: Sequence[str]) -> None:
    """Measure from the source log to the event, with these logs in one process."""
    folder = folder / f"hop-{len(logs)}"
    folder.mkdir(mode=0o755)
    with Sandbox(folder / "sandbox", ["kafka"]) as box:
        bench, group = Bench(box, folder), f"latency-{time.time_ns()}"
        bench.create(logs, 1)
        system, out = next(s for s in ours() if s.bridge), f"bench-{group}.domain.order"
        told = environment(box.bootstrap, [group], out, folder, logs)
        writer = Writer(written(box.bootstrap, logs))
        with running(system, told, folder / "bridge.log") as (bridge,):
            writer.start()
            bench.wait(group, 1, [bridge], logs)
            watch(f"source log to event, {len(logs)} log{'s'[: len(logs) - 1]}", bench, [out], bridge, writer)


def end_to_end(folder: Path) -> None:
    """Measure from the commit in PostgreSQL to the event."""
    with Sandbox(folder / "whole", ["kafka", "connect", "postgres"]) as box:
        (trial,) = prepare(box, ROOT / "mappings")
        command = (sys.executable, "-m", "figbridge")
        told = ("--settings", str(trial.settings))
        subprocess.run([*command, "connectors", "apply", *told], check=True, stdout=sys.stderr)
        words = (*command, "run", "--from", "earliest", *told)
        with trial.shop(Random(1)) as shop, running(System("", words), {}, folder / "whole.log") as (bridge,):
            shop.seed(100)

            def traded() -> Iterator[int]:
                while True:
                    before = shop.committed_changes
                    shop.trade(1)
                    yield shop.committed_changes - before

            writer = Writer(traded())
            writer.start()
            bench = Bench(box, folder)
            bench.wait(f"bridge-{trial.kind}", 1, [bridge], [f"{trial.prefix}.legacy.log"])  # it has made its topics
            topics = bench.domain(trial.prefix)
            watch("commit in PostgreSQL to event", bench, topics, bridge, writer)


def main() -> None:
    print(f"\nLatency: a steady rate of {RATE:,} rows/s was asked for, {SECONDS:.0f} s each")
    with tempfile.TemporaryDirectory(prefix="figbridge-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run under another account and must get through
        own_hop(Path(folder), LOGS[:1])
        own_hop(Path(folder), LOGS)
        end_to_end(Path(folder))


if __name__ == "__main__":
    main()
