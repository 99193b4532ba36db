"""`figbridge authority show | history | who-owned | verify | grant`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, settings_of, settings_options
from figbridge.cli.output import output_option, show, table


@click.group()
def authority() -> None:
    """Who owns which fact, now and at any position of the log."""


@authority.command("show")
@settings_options
@output_option
def show_(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show who owns each fact now, since when and why."""
    from figbridge import bootstrap
    from figbridge.operations import authority as operations

    with bootstrap.opened_store(settings_of(settings_file, data, mappings)) as store:
        found = operations.show(store)
    rows = [
        (
            s.cell,
            s.tenure.owner,
            s.tenure.successor or "",
            s.tenure.stage.value,
            s.tenure.epoch,
            s.since.kind.value,
            s.since.reason,
        )
        for s in found
    ]
    columns = ["fact", "owner", "other", "stage", "epoch", "by", "because"]
    show(fmt, found, lambda: table(columns, rows, "no facts are declared yet: figbridge run declares them"))
    return Exit.OK


@authority.command()
@click.argument("fact")
@settings_options
@output_option
def history(fact: str, settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show every grant of a fact, oldest first, with its cuts."""
    from figbridge import bootstrap
    from figbridge.operations import authority as operations

    with bootstrap.opened_store(settings_of(settings_file, data, mappings)) as store:
        found = operations.history(store, fact)
    rows = [
        (
            g.seq,
            g.epoch,
            g.owner,
            g.kind.value,
            g.by,
            g.at,
            g.reason,
            " ".join(f"{c.topic}/{c.partition}@{c.offset}" for c in g.cuts),
        )
        for g in found
    ]
    show(fmt, found, lambda: table(["seq", "epoch", "owner", "kind", "by", "at", "reason", "from"], rows, "no grants"))
    return Exit.OK


@authority.command("who-owned")
@click.argument("fact")
@click.argument("key")
@click.option("--at", required=True, help="A position (topic/partition@offset) or a time (ISO 8601 with zone).")
@settings_options
@output_option
def who_owned(
    fact: str, key: str, at: str, settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str
) -> Exit:
    """Say who owned a fact of one aggregate at a position of the log, or at a time."""
    from figbridge import bootstrap
    from figbridge.operations.who_owned import parse_at
    from figbridge.operations.who_owned import who_owned as find

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    with bootstrap.opened_log(settings) as log, bootstrap.opened_store(settings) as store:
        found = find(store, log, fact, parse_at(at), key=key, source_topics=bootstrap.source_topics(log, topics))

    def text() -> None:
        for answer in found.answers:
            click.echo(
                f"{answer.position}: {found.fact} of {found.key} was owned by {answer.tenure.owner}"
                f" (epoch {answer.tenure.epoch}; {answer.since.kind.value}: {answer.since.reason})"
            )

    show(fmt, found, text)
    return Exit.OK


@authority.command()
@settings_options
@output_option
def verify(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Walk the chain of grants; exit 3 and name the first broken link when one does not hold."""
    from figbridge import bootstrap
    from figbridge.operations import authority as operations

    with bootstrap.opened_store(settings_of(settings_file, data, mappings)) as store:
        broken, count = operations.verify(store), len(store.history())
    result = {"grants": count, "broken": None if broken is None else {"seq": broken.seq, "why": broken.why}}
    good = f"{count} grants, every link holds"
    show(fmt, result, lambda: click.echo(good if broken is None else f"BROKEN at grant {broken.seq}: {broken.why}"))
    return Exit.OK if broken is None else Exit.FINDINGS


@authority.command()
@click.argument("fact")
@click.option("--to", "system", required=True, help="The system that owns it from now on.")
@click.option("--reason", required=True, help="Why; it is kept for ever.")
@click.option("--break-glass", is_flag=True, help="Without plan, gates and approval; recorded as such.")
@click.option("--by", help="Who grants; the account's name by default.")
@settings_options
@output_option
def grant(
    fact: str,
    system: str,
    reason: str,
    break_glass: bool,  # noqa: FBT001 — a flag of click
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Give a fact to a system, from the present ends of the source logs on."""
    from figbridge import bootstrap
    from figbridge.operations import authority as operations

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    with bootstrap.opened_log(settings) as log, bootstrap.opened_store(settings) as store:
        made = operations.grant(
            store,
            log,
            fact,
            system,
            reason,
            by or account(),
            datetime.now(UTC),
            break_glass=break_glass,
            source_topics=bootstrap.source_topics(log, topics),
        )
    cuts = ", ".join(f"{c.topic}/{c.partition}@{c.offset}" for c in made.cuts)
    show(fmt, made, lambda: click.echo(f"{made.cell} is owned by {made.owner} from epoch {made.epoch} on, at {cuts}"))
    return Exit.OK
