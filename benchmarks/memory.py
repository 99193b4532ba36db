"""Resident memory over a million records: flat after the first hundred thousand."""

from __future__ import annotations

import sys
import time
from itertools import islice

from benchmarks.rows import records
from benchmarks.setting import TOPIC, rss_mib, setting
from figbridge.adapters.memory import MemoryLog
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import collecting_later

RECORDS = 1_000_000
BATCH = 1000
MARK = 100_000


def main() -> None:
    plan, edge, authority = setting()
    state = MemoryLog().state("none")  # a real, empty state: the memory of rows evicts as over any log
    process = Process(plan, state, {TOPIC: "legacy"}, edge)
    stream = records(RECORDS, TOPIC, orders=50_000)
    read, early, began = 0, 0.0, time.monotonic()
    while read < RECORDS and (batch := list(islice(stream, BATCH))):
        with collecting_later():  # as the worker does
            process.take(batch)
            process.commit(process.decide(authority))
            process.committed()
        read += len(batch)
        if read == MARK:
            early = rss_mib()
        if read % 100_000 == 0:
            rate = read / (time.monotonic() - began)
            print(f"  {read:,} records, {rss_mib():.0f} MiB, {(RECORDS - read) / rate:.0f} s left", file=sys.stderr)
    late = rss_mib()
    print(f"\nmemory: {early:.0f} MiB after {MARK:,} records, {late:.0f} MiB after {read:,}: ratio {late / early:.2f}")


if __name__ == "__main__":
    main()
