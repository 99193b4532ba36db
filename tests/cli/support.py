"""Run commands as a person does, and make a bridge's data folder out of captured records."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from figbridge import bootstrap
from figbridge.adapters.sqlite.log import SqliteLog
from figbridge.ports import Outgoing
from figbridge.settings import Settings
from figbridge.telemetry.events import telling

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "fixtures" / "debezium"
MAPPINGS = ROOT / "tests" / "fixtures" / "mappings" / "captured"
ONE_ORDER = CAPTURES / "postgres" / "transaction-order-and-lines.jsonl"
LOG = "figbridge.legacy.log"
NOW = datetime(2026, 3, 1, tzinfo=UTC)

FACTS = """\
systems: [legacy, delivery]
facts:
  order.placement: {record: orders, authority: legacy, successor: delivery, rule: the shop wrote it}
  order.status: {record: orders, authority: legacy, rule: the shop wrote it}
  order.delivery: {record: orders, authority: legacy, rule: the shop wrote it}
  order.payment: {record: payments, authority: legacy, rule: the shop wrote it}
  order.notes: {record: orders, authority: legacy, rule: the shop wrote it}
  customer.state: {record: customers, authority: legacy, rule: the shop wrote it}
  invoice.state: {record: invoices, authority: legacy, rule: the shop wrote it}
  stock.state: {record: stock, authority: legacy, rule: the shop wrote it}
  supplier.state: {record: suppliers, authority: legacy, rule: the shop wrote it}
"""


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


def called(*arguments: str | Path, env: dict[str, str] | None = None, cwd: Path = ROOT) -> Said:
    """Call figbridge in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FIGBRIDGE_", "NO_COLOR", "FORCE_COLOR"))}
    done = subprocess.run(
        [sys.executable, "-m", "figbridge", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**kept, **(env or {})},
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def write_mappings(folder: Path) -> Path:
    """Write the mappings of the captured records, with facts that have owners."""
    made = folder / "mappings"
    shutil.copytree(MAPPINGS, made)
    (made / "facts.yaml").write_text(FACTS, encoding="utf-8")
    return made


def feed(settings: Settings, captures: Iterable[str]) -> None:
    """Append captured records to the monolith's log, and let the bridge work until nothing is left."""
    settings.data.mkdir(exist_ok=True)
    log = SqliteLog(settings.log_file)
    try:
        log.create(LOG)
        for name in captures:
            records = bootstrap.capture(CAPTURES / "postgres" / f"{name}.jsonl")
            log.append([Outgoing(LOG, r.key, r.value, r.headers, r.timestamp, 0) for r in records])
    finally:
        log.close()
    work(settings)


def work(settings: Settings) -> None:
    """Let the bridge work until nothing is left."""
    with telling(io.StringIO()), bootstrap.bridge(settings, NOW, "ann") as bridge:
        bridge.run(lambda: False, idle=lambda: True)
