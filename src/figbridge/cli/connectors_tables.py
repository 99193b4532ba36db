"""`figbridge connectors offsets show | reset` and `figbridge connectors snapshot`."""

from __future__ import annotations

import sys
import uuid
from typing import TYPE_CHECKING, Final

import click

from figbridge.cli.connectors_options import Chosen, connectors_options
from figbridge.cli.exits import Exit
from figbridge.cli.output import output_option, show, sure

if TYPE_CHECKING:
    from figbridge.operations.connectors.offsets import Offsets
    from figbridge.operations.connectors.snapshot import Progress


@click.group()
def offsets() -> None:
    """Where a connector goes on in its database's log."""


@offsets.command("show")
@click.argument("name")
@connectors_options
@output_option
def show_(chosen: Chosen, name: str, fmt: str) -> Exit:
    """Show where a connector goes on, in words."""
    from figbridge.operations.connectors import offsets as operations

    with chosen.site() as site:
        found = operations.show(site, site.named(name))
    show(fmt, found, lambda: _text(found))
    return Exit.OK


@offsets.command()
@click.argument("name")
@click.option("--to", default="", help="Go on from this LSN or GTID set, instead of a new snapshot.")
@click.option("--drop-slot", is_flag=True, help="Also drop the replication slot in the database.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connectors_options
@output_option
def reset(chosen: Chosen, name: str, to: str, drop_slot: bool, yes: bool, fmt: str) -> Exit:  # noqa: FBT001 — click's
    """Make a stopped connector forget where it was, or go on from a position that the database has."""
    from figbridge.operations.connectors import offsets as operations

    with chosen.site() as site:
        wanted = site.named(name)
        what = f"go on from {to}" if to else "make a new snapshot at its next start"
        sure(f"Shall {wanted.capture.name} {what}?", yes)
        found = operations.reset(site, wanted, to, drop_slot=drop_slot)
    show(fmt, found, lambda: _text(found))
    return Exit.OK


def _text(found: Offsets) -> None:
    click.echo(f"{found.name}: {found.position or 'no position'}")
    for words in found.words:
        click.echo(f"  {words}")


@click.command()
@click.argument("table")
@click.option("--where", default="", help="A condition in the database's SQL: read only these rows.")
@click.option("--stop", is_flag=True, help="Stop the snapshot of the table that is under way.")
@connectors_options
@output_option
def snapshot(chosen: Chosen, table: str, where: str, stop: bool, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Read a table again while the stream goes on, and show how far it is. Ctrl-C stops watching, not the snapshot."""
    from figbridge.operations.connectors import snapshot as operations

    with chosen.site() as site:
        wanted, id_ = operations.of_table(site, table), f"figbridge-{uuid.uuid4()}"
        if stop:
            operations.stop(site, wanted, table, id_)
            show(fmt, {"stopping": table}, lambda: click.echo(f"asked Debezium to stop the snapshot of {table}"))
            return Exit.OK
        last = None
        for last in operations.snapshot(site, wanted, table, where, id_):
            _say(last)
    assert last is not None
    ended = last
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    words = f"{ended.rows:,} rows of {table} in {ended.seconds:.1f} s: {ended.phase.value}"
    if ended.phase is operations.Phase.INCOMPLETE:
        words += f"; {ended.why}"
    show(fmt, ended, lambda: click.echo(words))
    return Exit.OK if ended.phase is operations.Phase.DONE else Exit.FINDINGS


def _say(progress: Progress) -> None:
    rate = progress.rows / progress.seconds if progress.seconds else 0.0
    total = progress.total or 0
    of = f" of about {total:,}" if total and total >= progress.rows else ""
    left = f", {(total - progress.rows) / rate:.0f} s left" if rate and total > progress.rows else ""
    again = f" {progress.why}" if progress.why and progress.phase.value == "asked" else ""
    text = f"{progress.table}: {progress.phase.value}{again}, {progress.rows:,}{of} rows, {rate:,.0f}/s{left}"
    sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
    sys.stderr.flush()


COMMANDS: Final = (offsets, snapshot)
