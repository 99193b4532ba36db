"""`figbridge holes list | show | check | accept`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, by_option, settings_of, settings_options
from figbridge.cli.output import output_option, say, show, table
from figbridge.cli.progress import progress

if TYPE_CHECKING:
    from figbridge.operations.holes.check import Checked
    from figbridge.operations.holes.look import Hole
    from figbridge.pipeline.holes import Named
    from figbridge.ports import Log
    from figbridge.settings import Settings


@click.group()
def holes() -> None:
    """Find out what suspect transactions lost on their way into the log, and settle them."""


@holes.command("list")
@click.option("--all", "settled", is_flag=True, help="Those that are settled, too.")
@settings_options
@output_option
def list_(
    settled: bool,  # noqa: FBT001 — a flag of click
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """List suspects, the oldest first. Exit 3 while one is open."""
    from figbridge import bootstrap
    from figbridge.operations.holes.look import list_holes

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        found = list_holes(log, settings.group, settled=settled)
    rows = [(h.position, h.source, h.state, _doubts(h), ", ".join(h.tables), h.case) for h in found]
    columns = ["position", "source", "state", "doubts", "tables", "case"]
    show(fmt, found, lambda: table(columns, rows, "no transaction is suspect"))
    return Exit.FINDINGS if any(h.doubts for h in found) else Exit.OK


@holes.command("show")
@click.argument("position")
@settings_options
@output_option
def show_(position: str, settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show one suspect: its doubts, what was found and decided, and the next command.

    POSITION is that of its END, topic/partition@offset.
    """
    from figbridge import bootstrap
    from figbridge.operations.holes.look import show_hole

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        hole = show_hole(log, settings.group, position)

    def text() -> None:
        click.echo(f"{hole.position}  {hole.state}")
        for suspect in hole.doubts:
            tables = ", ".join(suspect.tables) or "any table"
            click.echo(f"  {suspect.doubt.value}: {suspect.detail} ({tables}), transaction {suspect.tx or 'none'}")
        for done in hole.outcomes:
            click.echo(f"  {done.at} {done.by}: {done.state}, {done.method or 'no look'}, {done.recovered} recovered")
            click.echo(f"    {done.reason}")
            _named("not told", done.named)
            _named("only in the log", done.gone)
            if done.case:
                click.echo(f"    a person must decide: {done.case}")
        if hole.doubts:
            click.echo(f"  next: figbridge holes check {hole.position}")
            click.echo(f"  next: figbridge holes accept {hole.position} --reason '…'")

    show(fmt, hole, text)
    return Exit.OK


@holes.command()
@click.argument("positions", nargs=-1)
@click.option("--by", help="Who asks; the account's name by default.")
@click.option("--reason", default="checked against the database", show_default=True, help="Kept with what is found.")
@click.option("--wait", "patience", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds.")
@settings_options
@output_option
def check(
    positions: tuple[str, ...],
    by: str | None,
    reason: str,
    patience: float,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Ask the source's database what suspects lost; without POSITIONS all that are open.

    What was missing is sent to the bridge, which must run, and comes in as recovered state. Exit 3 when a suspect needs
    a person.
    """
    from figbridge import bootstrap
    from figbridge.operations.holes.look import open_holes

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        wanted = open_holes(log, settings.group, positions)
        found = [_check(log, settings, hole, by or account(), reason, patience) for hole in wanted]

    def text() -> None:
        for each in found:
            state = f"a person must decide: {each.case}" if each.case else "nothing else is missing"
            click.echo(f"{each.hole}: {each.looked_at} rows looked at by {each.method or 'nothing'}, {state}")
            _named("recovered", each.missing)
            _named("only in the log", each.gone)

    show(fmt, found, text)
    if found:
        say("the bridge takes it in with its next batch: figbridge holes list --all")
    else:
        say("no transaction is suspect")
    return Exit.FINDINGS if any(each.case for each in found) else Exit.OK


def _check(log: Log, settings: Settings, hole: Hole, by: str, reason: str, patience: float) -> Checked:
    from figbridge import bootstrap
    from figbridge.operations.holes.check import Scene
    from figbridge.operations.holes.check import check as checked

    topics = bootstrap.topics(settings)
    plan = bootstrap.plan(bootstrap.documents(settings.mappings))
    edge = bootstrap.edge_of(plan, settings, log)
    database = bootstrap.row_reader(settings, edge.source_of(hole.source))

    def watch(items: Iterable[Any], what: str, total: int | None) -> Iterator[Any]:
        return progress(items, "reading", what, total)

    scene = Scene(log, settings.group, topics, plan, edge, database, watch, patience)
    return checked(scene, hole, by=by, reason=reason, at=datetime.now(UTC).isoformat())


@holes.command()
@click.argument("position")
@click.option("--reason", required=True, help="Why nothing more is to be found out; it is kept for ever.")
@by_option
@settings_options
@output_option
def accept(
    position: str,
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Close a suspect as it is, by a person's word."""
    from figbridge import bootstrap
    from figbridge.operations.holes import check as operations
    from figbridge.operations.holes.look import open_holes

    settings = settings_of(settings_file, data, mappings)
    at = datetime.now(UTC).isoformat()
    with bootstrap.opened_log(settings) as log:
        (hole,) = open_holes(log, settings.group, [position])
        operations.accept(log, bootstrap.topics(settings), hole, by=by or account(), reason=reason, at=at)
    sent = {"action": "accept", "position": position, "by": by or account(), "reason": reason, "at": at}
    show(fmt, sent, lambda: click.echo(f"accept of {position} is sent; the bridge does it with its next batch"))
    return Exit.OK


def _doubts(hole: Hole) -> str:
    return ", ".join(suspect.doubt.value for suspect in hole.doubts)


def _named(what: str, rows: list[Named]) -> None:
    for row in rows:
        click.echo(f"    {what}: {row.table} {row.key}")
