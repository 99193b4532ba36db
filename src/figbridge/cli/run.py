"""`figbridge run`."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, settings_of, settings_options
from figbridge.cli.output import output_option, say, show


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
@settings_options
@output_option
def run(
    role: str,
    log_format: str,
    verbose: bool,  # noqa: FBT001 — a flag of click
    start: tuple[str, ...],
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Run the bridge until SIGTERM or Ctrl-C; it stops between two batches, with everything committed."""
    from figbridge import bootstrap
    from figbridge.telemetry.events import configure

    configure(json=log_format == "json", verbose=verbose)
    settings = settings_of(settings_file, data, mappings)
    starts = bootstrap.starts(settings, start) if start else {}
    if not settings.sources and settings.log == "embedded":
        say("no sources are set: only what the log already holds is bridged (see docs/settings.md)")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with bootstrap.bridge(settings, datetime.now(UTC), account(), start=starts) as bridge:
        say(f"{role} reads {', '.join(bridge.sources)}; figbridge status shows how it goes")
        read = bridge.run(stop.is_set)
    show(fmt, {"records": read}, lambda: click.echo(f"{read} records read"))
    return Exit.OK
