"""Fill four source logs on a sandbox broker, let every system read them in turn, and print the table.

`BENCH_ROWS` (1,000,000) and `BENCH_ROUNDS` (3) say how much; `BENCH_ONLY=ours` leaves the systems of others out.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.kafka.processes import cpu_seconds, peak_mib
from benchmarks.kafka.systems import System, environment, others, ours
from benchmarks.kafka.task import LOGS, SOURCES
from benchmarks.rows import records
from figbridge.sandbox import Sandbox, java

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PARTITIONS = 4
_LIMIT_S = 900.0


class Measured(NamedTuple):
    """One pass of one system over all records."""

    rows_per_s: float
    cpu_us: float
    broker_us: float
    rss_mib: float
    right: bool


class Bench:
    """Measure on one broker."""

    def __init__(self, box: Sandbox, work: Path) -> None:
        self.box = box
        self.work = work
        self.admin = AdminClient({"bootstrap.servers": box.bootstrap})
        self.total = self.events = self.rows = 0
        self._looks: dict[str, Consumer] = {}

    def fill(self) -> None:
        """Write the source logs; counts rows, records and the status changes among them."""
        self.create(LOGS, 1)
        options = {"enable.idempotence": True, "linger.ms": 20, "compression.type": "lz4"}  # in order, whatever happens
        producer = Producer({"bootstrap.servers": self.box.bootstrap, **options})
        for seed, log in enumerate(LOGS):
            for record in records(ROWS // SOURCES, log, seed=seed + 1):
                value = record.value or b""
                if b'"op":"u"' in value:
                    self.rows += 1
                    head, _, tail = value.partition(b',"after":')
                    self.events += _status(head) != _status(tail)
                headers = [(k, v) for k, v in record.headers]
                producer.produce(log, value, record.key, 0, timestamp=record.timestamp, headers=headers)
                self.total += 1
                if self.total % 2000 == 0:
                    producer.poll(0)
                    while len(producer) > 60_000:
                        producer.poll(0.05)
            producer.flush()
            print(f"  {log}: {self.total:,} records in all", file=sys.stderr)

    def measure(self, system: System, stamp: str) -> list[Measured]:
        """Let a system read everything, `passes` times."""
        groups = [f"{stamp}-{n}" for n in range(system.passes)]
        outs = [f"bench-{g}.domain.order" if system.bridge else f"out-{g}" for g in groups]
        if not system.bridge:
            self.create(outs[:1], PARTITIONS)
        folder = Path(tempfile.mkdtemp(dir=self.work))
        told = environment(self.box.bootstrap, groups, outs[0], folder)
        broker = self.box.server("kafka-1").pid
        assert broker is not None
        found = []
        with running(system, told, self.work / "output.log") as started:
            for group in groups:
                if not self.wait(group, 1, started):
                    raise SystemExit(f"{system.name} read nothing: see {self.work / 'output.log'}")
                before, at = self._committed(group), [cpu_seconds(p.pid) for p in started]
                broker_cpu = cpu_seconds(broker)
                from_ = time.monotonic()
                done = self.wait(group, self.total, started)
                seconds = time.monotonic() - from_
                cpu = sum(cpu_seconds(p.pid) - c for p, c in zip(started, at, strict=True))
                rows = max(1.0, (self.total - before) * self.rows / self.total)
                found.append(
                    Measured(
                        rows / seconds,
                        cpu / rows * 1e6,
                        (cpu_seconds(broker) - broker_cpu) / rows * 1e6,
                        max(peak_mib(p.pid) for p in started),
                        done,
                    )
                )
                if system.passes > 1:
                    assert started[0].stdin is not None
                    started[0].stdin.write(b"\n")
                    started[0].stdin.flush()
        wanted = self.total if system.copies else self.events * system.passes
        limit = time.monotonic() + 10
        while (came := self._count(outs[0])) < wanted and time.monotonic() < limit:
            time.sleep(0.2)  # positions and records become visible one after the other
        if came != wanted:
            print(f"  {system.name}: {came:,} records came, {wanted:,} were expected", file=sys.stderr)
        right = came == wanted
        for look in self._looks.values():
            look.close()
        self._looks.clear()
        self._drop([t for t in self.admin.list_topics(timeout=10).topics if stamp in t])
        return [m._replace(right=m.right and right) for m in found]

    def create(self, topics: list[str] | tuple[str, ...], partitions: int) -> None:
        """Make topics that keep everything."""
        new = [NewTopic(t, partitions, 1, config={"retention.ms": "-1"}) for t in topics]
        for future in self.admin.create_topics(new).values():
            future.result(30)

    def _drop(self, topics: list[str]) -> None:
        for future in self.admin.delete_topics(topics).values() if topics else ():
            future.result(30)

    def _committed(self, group: str, logs: Sequence[str] = LOGS) -> int:
        """Return how many records of source logs a group has committed.

        Asked by a consumer that never joins: AdminClient.list_consumer_group_offsets crashes the process for a group
        that does not exist yet (confluent-kafka 2.16.1 on Kafka 4.3.1).
        """
        if group not in self._looks:
            self._looks[group] = Consumer({"bootstrap.servers": self.box.bootstrap, "group.id": group})
        places = [TopicPartition(log, 0) for log in logs]
        try:
            return sum(max(0, p.offset) for p in self._looks[group].committed(places, timeout=10))
        except KafkaException as error:
            if error.args[0].code() in (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE):
                return 0  # a new group's place is not decided yet
            raise

    def wait(
        self, group: str, records_: int, started: Sequence[subprocess.Popen[bytes]], logs: Sequence[str] = LOGS
    ) -> bool:
        """Wait until a group has committed so many records; False when it takes too long, or a process ended."""
        limit = time.monotonic() + _LIMIT_S
        while time.monotonic() < limit and all(process.poll() is None for process in started):
            if self._committed(group, logs) >= records_:
                return True
            time.sleep(0.05)
        return False

    def domain(self, prefix: str) -> list[str]:
        """Return the domain topics under a prefix."""
        return [topic for topic in self.admin.list_topics(timeout=10).topics if topic.startswith(f"{prefix}.domain.")]

    def _count(self, topic: str) -> int:
        """Return the committed records of a topic."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.box.bootstrap, "group.id": "bench-count", "enable.auto.commit": False,
                "isolation.level": "read_committed", "enable.partition.eof": True, "auto.offset.reset": "earliest",
            }
        )  # fmt: skip
        consumer.assign([TopicPartition(topic, p, 0) for p in range(PARTITIONS)])
        count = ended = 0
        while ended < PARTITIONS:
            for message in consumer.consume(5000, 0.5):
                ended, count = (ended + 1, count) if message.error() else (ended, count + 1)
        consumer.close()
        return count


@contextmanager
def running(system: System, told: dict[str, str], log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run a system's processes for the time of a measurement."""
    with log.open("ab") as output:
        started = [
            subprocess.Popen(
                system.command, env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=output, stderr=output
            )
            for _ in range(system.processes)
        ]
        try:
            yield started
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _status(image: bytes) -> bytes:
    start = image.find(b'"stat":"') + 8
    return image[start : start + 1]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="figbridge-bench-") as folder:
        work = Path(os.environ.get("BENCH_WORK", folder))
        work.mkdir(parents=True, exist_ok=True)
        systems = ours() + (others(work, str(java.find().program)) if os.environ.get("BENCH_ONLY") != "ours" else [])
        with Sandbox(Path(folder) / "sandbox", ["kafka"]) as box:
            bench = Bench(box, Path(folder))
            bench.fill()
            found: dict[str, list[Measured]] = defaultdict(list)
            for number in range(ROUNDS):
                for system in systems:
                    print(f"  round {number + 1} of {ROUNDS}: {system.name}", file=sys.stderr)
                    passes = bench.measure(system, f"{re.sub(r'[^a-zA-Z]', '', system.name)}-{time.time_ns()}")
                    for n, measured in enumerate(passes, start=1):
                        label = f"{system.name}, pass {n}" if len(passes) > 1 else system.name
                        found[label].append(measured)
    _report(bench, found)


def _report(bench: Bench, found: dict[str, list[Measured]]) -> None:
    print(
        f"\nKafka: {bench.rows:,} rows in {bench.total:,} records of {SOURCES} source logs, {bench.events:,} events;"
        f" median (min-max) of {ROUNDS} rounds"
    )
    base = found["passthrough, transactions"]
    print(f"  {'system':<46}{'k rows/s':>20}{'CPU µs a row':>22}{'x pass':>8}{'broker µs':>11}{'RSS MiB':>9}  events")
    for name, rounds in found.items():
        rates, cpus = [m.rows_per_s / 1000 for m in rounds], [m.cpu_us for m in rounds]
        ratio = statistics.median(m.rows_per_s / b.rows_per_s for m, b in zip(rounds, base, strict=True))
        broker = statistics.median(m.broker_us for m in rounds)
        rss = max(m.rss_mib for m in rounds)
        right = "right" if all(m.right for m in rounds) else "WRONG"
        print(f"  {name:<46}{_three(rates):>20}{_three(cpus):>22}{ratio:>8.2f}{broker:>11.1f}{rss:>9.0f}  {right}")


def _three(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    main()
