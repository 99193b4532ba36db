"""`figbridge dead-letters list | show | replay | discard | key`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, by_option, reason_option, settings_of, settings_options
from figbridge.cli.output import output_option, say, show, table
from figbridge.cli.progress import progress

if TYPE_CHECKING:
    from figbridge.operations.dead_letters import Sent
    from figbridge.ports import Record


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at records that cannot be used, and decide what becomes of them."""


@dead_letters.command("list")
@click.option(
    "--state",
    type=click.Choice(["open", "replayed", "discarded", "all"]),
    default="open",
    show_default=True,
    help="Only letters in this state.",
)
@click.option("--code", default="", help="Only letters with this reason, as KEY_MISSING.")
@click.option("--source", default="", help="Only letters of this source.")
@settings_options
@output_option
def list_(
    state: str,
    code: str,
    source: str,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """List dead letters, the oldest first."""
    from figbridge import bootstrap
    from figbridge.operations.dead_letters import list_letters

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    wanted = "" if state == "all" else state
    with bootstrap.opened_log(settings) as log:
        total = sum(log.ends([topics.dead_letters]).values())
        letters = list_letters(log, settings.group, topics, state=wanted, reason=code, source=source)
        found = list(progress(letters, "reading", "letters", total))
    shown = [{"position": f.position, "reason": f.reason, "state": f.state, "detail": f.detail} for f in found]
    rows = [tuple(each.values()) for each in shown]
    empty = "no dead letters" if state == "all" else f"no dead letter is {state}"
    show(fmt, shown, lambda: table(["position", "reason", "state", "detail"], rows, empty))
    return Exit.OK


@dead_letters.command("show")
@click.argument("position")
@click.option("--values", is_flag=True, help="Show the dead record, which may hold personal data.")
@settings_options
@output_option
def show_(
    position: str,
    values: bool,  # noqa: FBT001 — a flag of click
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Show one letter: what it means, what was decided on it, and the next command.

    POSITION is that of the dead record, topic/partition@offset.
    """
    from figbridge import bootstrap
    from figbridge.operations.dead_letters import show_letter

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    plan = bootstrap.plan(bootstrap.documents(settings.mappings))
    with bootstrap.opened_log(settings) as log:
        edge = bootstrap.edge_of(plan, settings, log)
        found = show_letter(log, settings.group, topics, edge, position, values=values)
    status, letter = found.status, found.status.letter
    kept = "encrypted in the letter" if "encrypted" in letter.payload else "in the letter" if letter.payload else ""
    shown = {
        "position": status.position,
        "state": status.state,
        "reason": status.reason,
        "detail": status.detail,
        "explanation": found.explanation,
        "source": status.source,
        "transaction": {"tx": letter.tx, "commit": letter.commit, "end": letter.end, "at_us": letter.at_us},
        "mappings": letter.mappings,
        "payload": kept or "in the source log",
        "decisions": status.decisions,
        "record": found.record,
        "next": found.next,
    }

    def text() -> None:
        click.echo(f"{status.position}  {status.state}")
        click.echo(f"  {status.reason}: {status.detail}")
        click.echo(f"  {found.explanation}")
        click.echo(f"  transaction {letter.tx or 'none'}, commit {letter.commit}, END {letter.end}")
        click.echo(f"  mappings: {', '.join(f'{n} {v}' for n, v in letter.mappings.items()) or 'unknown'}")
        click.echo(f"  the record is {shown['payload']}")
        if found.record is not None:
            click.echo(f"  key    {found.record['key']}\n  value  {found.record['value']}")
        for done in status.decisions:
            ended = f"{done.code}, {done.why}" if done.code else f"{done.state}, {done.claims} claims"
            parked = f", parked {', '.join(done.parked)}" if done.parked else ""
            click.echo(f"  {done.at} {done.by}: {ended}{parked} ({done.reason})")
        for way in found.next:
            click.echo(f"  next: {way}")

    show(fmt, shown, text)
    return Exit.OK


_POSITIONS = click.argument("positions", nargs=-1, required=True)


@dead_letters.command()
@_POSITIONS
@reason_option
@by_option
@settings_options
@output_option
def replay(
    positions: tuple[str, ...],
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Process dead records again with the mappings as they are now, each with all that is dead of its transaction.

    Events get the ids and verdicts that they would have had. Refused when something that they turn on changed since.
    """
    from figbridge import bootstrap
    from figbridge.operations import dead_letters as operations

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    plan = bootstrap.plan(bootstrap.documents(settings.mappings))

    def watch(records: Iterable[Record], total: int) -> Iterator[Record]:
        return progress(records, "looking for later changes", "records", total)

    with bootstrap.opened_log(settings) as log:
        edge = bootstrap.edge_of(plan, settings, log)
        sent = operations.replay(
            log,
            settings.group,
            topics,
            plan,
            edge,
            positions,
            by=by or account(),
            reason=reason,
            at=datetime.now(UTC).isoformat(),
            watch=watch,
        )
    return _sent(fmt, sent)


@dead_letters.command()
@_POSITIONS
@reason_option
@by_option
@settings_options
@output_option
def discard(
    positions: tuple[str, ...],
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Settle that nothing is said of dead records. They stay counted as dead."""
    from figbridge import bootstrap
    from figbridge.operations import dead_letters as operations

    settings = settings_of(settings_file, data, mappings)
    at = datetime.now(UTC).isoformat()
    with bootstrap.opened_log(settings) as log:
        topics = bootstrap.topics(settings)
        sent = operations.discard(log, settings.group, topics, positions, by=by or account(), reason=reason, at=at)
    return _sent(fmt, sent)


def _sent(fmt: str, sent: list[Sent]) -> Exit:
    def text() -> None:
        for each in sent:
            click.echo(f"{each.action} of {', '.join(each.positions)} is sent; the bridge does it with its next batch")

    show(fmt, sent, text)
    say(f"what it did: figbridge dead-letters show {sent[0].positions[0]}")
    return Exit.OK


@dead_letters.command()
@output_option
def key(fmt: str) -> Exit:
    """Print a new key for the setting dead_letter_key_file. Whoever has it can read the letters."""
    from figbridge import bootstrap

    made = bootstrap.new_letter_key()
    show(fmt, {"key": made}, lambda: click.echo(made))
    return Exit.OK
