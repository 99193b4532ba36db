"""How fast the state comes back from its changelog on a machine without a copy: `BENCH_ENTRIES` (1,000,000) entries."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.ports import EARLIEST, Commit, Entry, Session
from figbridge.sandbox import Sandbox

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
LOG = "bench.restore.log"
_AT_ONCE = 20_000
_ROW = b'{"order_id":%d,"cust_id":35,"stat":"P","tot_amt":"487.90","crt_dt":1717236000000000,"chan":"W"}'


def session_of(log: KafkaLog) -> Session:
    """Join the group and return its session, once it is there: its state is up to date then."""
    member = log.join("restore", [LOG], [], {LOG: EARLIEST})
    while not (found := member.sessions(0.1)):
        pass
    return found[LOG,]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="figbridge-bench-") as name, Sandbox(Path(name) / "box", ["kafka"]) as box:
        folder = Path(name)
        with closing(KafkaLog(Cluster(box.bootstrap), folder / "first")) as log:
            log.create(LOG)
            session = session_of(log)
            for start in range(0, ENTRIES, _AT_ONCE):
                numbers = range(start, min(ENTRIES, start + _AT_ONCE))
                session.commit(Commit((), {}, [Entry("rows", f"shop.orders:{n}", "", _ROW % n) for n in numbers]))
                print(f"  {start + _AT_ONCE:,} of {ENTRIES:,} entries written", file=sys.stderr)
        with closing(KafkaLog(Cluster(box.bootstrap), folder / "second")) as log:
            began, cpu = time.monotonic(), time.process_time()
            found = session_of(log).state.count("rows")
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    assert found == ENTRIES
    print(
        f"\nRestore: {found:,} entries in {seconds:.1f} s with joining the group: {found / seconds:,.0f} entries/s,"
        f" {cpu / found * 1e6:.1f} µs CPU an entry"
    )


if __name__ == "__main__":
    main()
