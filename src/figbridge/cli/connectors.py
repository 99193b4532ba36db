"""`figbridge connectors plan | apply | validate | status | plugins | topics` and, from their own files, the rest."""

from __future__ import annotations

import click

from figbridge.cli.connectors_options import Chosen, connectors_options
from figbridge.cli.exits import Exit
from figbridge.cli.output import output_option, say, show, table


@click.group()
def connectors() -> None:
    """Debezium in Kafka Connect: generated from the mappings, planned, applied and steered."""


@connectors.command()
@connectors_options
@output_option
def plan(chosen: Chosen, fmt: str) -> Exit:
    """Show what apply would do, as a diff with a digest. Exit 3 when there is something to do or something wrong."""
    from figbridge.cli.connectors_text import plan_text
    from figbridge.operations.connectors.check import check
    from figbridge.operations.connectors.plan import plan as make

    with chosen.site() as site:
        made = make(site)
        findings = check(site, made)
    show(fmt, {"plan": made, "findings": [str(f) for f in findings]}, lambda: plan_text(made))
    for finding in findings:
        say(str(finding))
    return Exit.FINDINGS if findings or made.changes else Exit.OK


@connectors.command()
@click.option("--plan", "digest", default="", help="Refuse unless the live state is still that of this plan's digest.")
@click.option("--unchecked", is_flag=True, help="Go on where figbridge has no account to look at the database.")
@click.option("--fresh", is_flag=True, help="Drop slots and offsets that earlier connectors left; a new snapshot.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the connectors stream.")
@connectors_options
@output_option
def apply(chosen: Chosen, digest: str, unchecked: bool, fresh: bool, no_wait: bool, fmt: str) -> Exit:  # noqa: FBT001 — flags of click
    """Create and change connectors and topics until they are what the files want; done again, it does nothing."""
    from figbridge.cli.connectors_text import plan_text, status_text
    from figbridge.operations.connectors.apply import apply as do

    with chosen.site() as site:
        applied = do(site, say, digest=digest, unchecked=unchecked, fresh=fresh, wait=not no_wait)

    def text() -> None:
        plan_text(applied.plan, done=True)
        if applied.statuses:
            status_text(applied.statuses)

    show(fmt, applied, text)
    return Exit.OK


@connectors.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@connectors_options
@output_option
def validate(chosen: Chosen, names: tuple[str, ...], fmt: str) -> Exit:
    """Check documents against Connect, Kafka and the databases, and change nothing. Exit 3 with findings."""
    from figbridge.operations.connectors.check import check
    from figbridge.operations.connectors.plan import plan as make

    with chosen.site() as site:
        wanted = [site.named(name) for name in names] or list(site.wanted)
        findings = check(site, make(site), [w.capture.name for w in wanted])

    def text() -> None:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")

    show(fmt, findings, text)
    return Exit.FINDINGS if findings else Exit.OK


@connectors.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@connectors_options
@output_option
def status(chosen: Chosen, names: tuple[str, ...], fmt: str) -> Exit:
    """Show what connectors really do: RUNNING is not believed. Exit 3 unless each streams or reads its snapshot."""
    from figbridge.cli.connectors_text import status_text
    from figbridge.operations.connectors.look import FINE
    from figbridge.operations.connectors.look import status as look

    with chosen.site() as site:
        found = look(site, tuple(site.named(name) for name in names))
    show(fmt, found, lambda: status_text(found))
    return Exit.OK if all(s.motion in FINE for s in found) else Exit.FINDINGS


@connectors.command()
@connectors_options
@output_option
def plugins(chosen: Chosen, fmt: str) -> Exit:
    """List the connector classes that the workers have, with their versions."""
    with chosen.site() as site:
        found = site.connect.plugins()
    rows = [(p.name, p.version, p.kind) for p in found]
    show(fmt, found, lambda: table(["class", "version", "kind"], rows, "the workers have no connector"))
    return Exit.OK


@connectors.command()
@connectors_options
@output_option
def topics(chosen: Chosen, fmt: str) -> Exit:
    """Show the topics of each connector: what it should be, what it is, what it has written to."""
    from figbridge.operations.connectors.topics import topics as look

    with chosen.site() as site:
        found = look(site)
    columns = ["connector", "topic", "for", "partitions", "kept", "end", "written"]
    rows = [(t.connector, t.topic, t.purpose, t.partitions, t.kept, t.end, "yes" if t.written else "") for t in found]
    show(fmt, found, lambda: table(columns, rows, "no connectors"))
    return Exit.OK


def _add() -> None:
    from figbridge.cli import connectors_steer, connectors_tables

    for command in (*connectors_steer.COMMANDS, *connectors_tables.COMMANDS):
        connectors.add_command(command)


_add()
