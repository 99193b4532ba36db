"""`figbridge run`."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, settings_of, settings_options
from figbridge.cli.output import output_option, say, show

if TYPE_CHECKING:
    from figbridge.operations.bridge import Renewed


@click.command()
@click.option(
    "--role", type=click.Choice(["bridge"]), default="bridge", show_default=True, help="What this process does."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--verbose", is_flag=True, help="Also log each batch.")
@click.option(
    "--from",
    "start",
    multiple=True,
    metavar="PLACE",
    help="Where a group begins that has never read a source log on Kafka: earliest, OFFSET, or SOURCE=either.",
)
@click.option("--listen", metavar="HOST:PORT", help="Answer probes and /metrics here.")
@settings_options
@output_option
def run(
    role: str,
    log_format: str,
    verbose: bool,  # noqa: FBT001 — a flag of click
    start: tuple[str, ...],
    listen: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Run the bridge until SIGTERM or Ctrl-C; it stops between two batches, with everything committed.

    On SIGHUP it reads the mappings again, between two batches, and goes on with them if they are good.
    """
    from figbridge import bootstrap
    from figbridge.telemetry.events import configure

    configure(json=log_format == "json", verbose=verbose)
    settings = settings_of(settings_file, data, mappings, listen=listen)
    starts = bootstrap.starts(settings, start) if start else {}
    if not settings.sources and settings.log == "embedded":
        say("no sources are set: only what the log already holds is bridged (see docs/settings.md)")
    stop, again = threading.Event(), threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: again.set())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (
        bootstrap.watched(settings) as (health, address),
        bootstrap.bridge(settings, datetime.now(UTC), account(), start=starts, health=health) as bridge,
    ):
        say(f"{role} reads {', '.join(bridge.sources)}; figbridge status shows how it goes")
        if address:
            say(f"probes and figures: {address}/readyz, {address}/metrics")

        def renewed() -> Renewed | None:
            if not again.is_set():
                return None
            again.clear()
            return bootstrap.renewed(settings, bridge, datetime.now(UTC), account())

        read = bridge.run(stop.is_set, renewed=renewed)
    show(fmt, {"records": read}, lambda: click.echo(f"{read} records read"))
    return Exit.OK
