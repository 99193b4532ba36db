"""What every benchmark needs: the mapping as a plan, the pipeline's edge, clocks, and the machine in words."""

from __future__ import annotations

import gc
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from benchmarks.rows import MAPPING
from figbridge import bootstrap
from figbridge.domain.authority import Authority
from figbridge.mapping.compiler import Plan
from figbridge.mapping.loader import Documents, parse_mapping
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.perform import Topics
from figbridge.pipeline.worker import collecting_later

TOPIC = Topics().log("legacy")


class Setting(NamedTuple):
    """The bridge's parts, joined as in a running bridge."""

    plan: Plan
    edge: Edge
    authority: Authority


def setting() -> Setting:
    documents = Documents((parse_mapping(MAPPING, "benchmarks/rows.py"),))
    plan = bootstrap.plan(documents)
    return Setting(plan, bootstrap.edge(plan, Topics()), bootstrap.declared_authority(documents))


def machine() -> str:
    parts = ", ".join(f"{name} {version(name)}" for name in ("figbridge", "msgspec", "sqlalchemy"))
    load = " ".join(f"{n:.1f}" for n in os.getloadavg())
    return f"Python {platform.python_version()}, {parts}; {os.cpu_count()} cores, load average {load}"


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process for one call, as within a batch of the worker: without a search for cyclic
    garbage."""
    gc.collect()
    with collecting_later():
        began = time.process_time()
        work()
        return time.process_time() - began


def interleaved(rounds: int, works: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Run each work once a round, so that what else the machine does meets all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
        for name, work in works.items():
            found[name].append(work())
    return found


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20
