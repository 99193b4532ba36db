"""The bridge over the SQLite log beside a bare copy: the same records, batch size and commits, in one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.rows import records
from benchmarks.setting import TOPIC, interleaved, setting, spread
from figbridge import bootstrap
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.adapters.sqlite.log import SqliteLog
from figbridge.mapping.loader import Documents, parse_mapping
from figbridge.operations.authority import declare
from figbridge.operations.bridge import create_topics
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import Worker
from figbridge.ports import Commit, Outgoing, TopicPartition

ROWS = 60_000
BATCH = 1000
ROUNDS = 5


def main() -> None:
    from benchmarks.rows import MAPPING

    plan, edge, _ = setting()
    documents = Documents((parse_mapping(MAPPING),))
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog(Path(folder) / "log.db")
        create_topics(log, plan, edge.topics, [TOPIC], 4)
        store = MemoryAuthorityStore()
        declare(store, bootstrap.undeclared(documents), bootstrap.EPOCH, "benchmark")
        made = list(records(ROWS, TOPIC))
        for start in range(0, len(made), 5000):
            log.append([Outgoing(TOPIC, r.key, r.value, r.headers, r.timestamp, 0) for r in made[start : start + 5000]])
        total, serial = len(made), iter(range(1_000_000))

        def copy() -> float:
            target = f"copy{next(serial)}"
            log.create(target)
            session = log.session(target, [TOPIC])
            cpu, read = time.process_time(), 0
            while batch := session.poll(BATCH, 0.0):
                out = [Outgoing(target, r.key, r.value, r.headers, r.timestamp, 0) for r in batch]
                session.commit(Commit(out, {TopicPartition(TOPIC, 0): batch[-1].offset + 1}, ()))
                read += len(batch)
            spent = time.process_time() - cpu
            session.close()
            assert read == total
            return spent / total * 1e6

        def bridge() -> float:
            session = log.session(f"bridge{next(serial)}", [TOPIC])
            worker = Worker(session, Process(plan, session.state, {TOPIC: "legacy"}, edge), store, BATCH)
            cpu = time.process_time()
            while worker.step(0.0):
                pass
            spent = time.process_time() - cpu
            assert worker.process.account.records["read"] == total
            assert worker.process.account.balanced
            session.close()
            return spent / total * 1e6

        walls: dict[str, list[float]] = {"bare copy": [], "bridge": []}

        def timed(name: str, work) -> float:  # type: ignore[no-untyped-def]
            began = time.perf_counter()
            spent: float = work()
            walls[name].append(total / (time.perf_counter() - began))
            return spent

        cpus = interleaved(
            ROUNDS, {"bare copy": lambda: timed("bare copy", copy), "bridge": lambda: timed("bridge", bridge)}
        )
        size = (Path(folder) / "log.db").stat().st_size / 2**20
        log.close()
    print(f"\nSQLite log: {total:,} records in batches of {BATCH}, file {size:.0f} MiB; median (min-max)")
    for name in cpus:
        rates = [w / 1000 for w in walls[name]]
        print(f"  {name:<12}{spread(rates):>24} k records/s{spread(cpus[name]):>24} CPU µs a record")
    ratios = [b / c for b, c in zip(walls["bridge"], walls["bare copy"], strict=True)]
    print(
        f"  bridge / bare copy: {statistics.median(ratios):.2f} in records/s"
        f" ({min(ratios):.2f}-{max(ratios):.2f} by round)"
    )


if __name__ == "__main__":
    main()
