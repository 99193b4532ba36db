"""Run every benchmark, or those that are named: `python -m benchmarks [hot_path] [sqlite_log] [memory] …`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.setting import machine

NAMES = ("hot_path", "sqlite_log", "memory", "commands", "kafka", "kafka.latency", "kafka.restore")

print(f"{datetime.now(UTC):%Y-%m-%d}  {machine()}")
for name in sys.argv[1:] or NAMES:
    import_module(f"benchmarks.{name}").main()
print(f"\nat the end: {machine()}")
