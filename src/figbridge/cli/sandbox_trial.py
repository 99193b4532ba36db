"""`figbridge sandbox trade | verify`: the worked example on the sandbox's servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import DIRECTORY
from figbridge.cli.output import output_option, say, show, table
from figbridge.cli.progress import Count
from figbridge.cli.sandbox_options import data_option

if TYPE_CHECKING:
    from figbridge.sandbox import Sandbox

ON = click.option(
    "--on",
    "kind",
    type=click.Choice(["postgres", "mariadb"]),
    default="postgres",
    show_default=True,
    help="Which shop.",
)


@click.command()
@ON
@click.option("--operations", "-n", type=click.IntRange(1), default=200, show_default=True, help="How many to do.")
@data_option
@output_option
def trade(kind: str, operations: int, data: Path, fmt: str) -> Exit:
    """Let the demo's monolith trade on the sandbox, and show its ledger.

    It places orders, changes, ships and cancels them, takes money and counts its stock, and writes into a ledger of its
    own what happened. The delivery service says something now and then.
    """
    from figbridge import bootstrap
    from figbridge.demo.trial.place import place
    from figbridge.demo.trial.trade import trade as do

    trial = place(bootstrap.sandbox(data), kind)
    count = Count("trading", "operations")
    done = do(trial, operations, lambda n: count.say(n, operations))
    count.end()

    def text() -> None:
        table(["happened", "times"], list(done.ledger.items()), "nothing happened yet")
        click.echo(f"{done.operations} operations, {done.row_changes} row changes; the ledger has"
                   f" {sum(done.ledger.values())} happenings, the newest:")  # fmt: skip
        for entry in done.newest:
            click.echo(f"  {entry.seq:>6}  {entry.type:<24} {entry.subject}")
        click.echo(f"the delivery service has said {done.delivery_said} events")

    show(fmt, done, text)
    return Exit.OK


@click.command()
@ON
@click.option(
    "--patience", type=click.FloatRange(1), default=20.0, show_default=True,
    help="Seconds without any news after which what is missing counts as lost.",
)  # fmt: skip
@data_option
@output_option
def verify(kind: str, patience: float, data: Path, fmt: str) -> Exit:
    """Hold the monolith's ledger against the domain topics. Exit 3 when they differ.

    Reads the topics with code of its own, committed records only: each happening must be told once, in order, with its
    values, and what one transaction of the shop did as one commit.
    """
    from figbridge import bootstrap
    from figbridge.demo.trial.place import place
    from figbridge.demo.trial.verify import verify as do

    trial = place(bootstrap.sandbox(data), kind)
    count = Count("reading the domain topics", "events")
    found = do(trial, patience, count.say)
    count.end()

    def text() -> None:
        for difference in found.differences:
            click.echo(difference)
        if found.differing > len(found.differences):
            click.echo(f"and {found.differing - len(found.differences)} more differences")
        click.echo(
            f"ledger: {found.ledger} happenings, {found.snapshot} of them before the connector's snapshot\n"
            f"domain topics: {found.events} events of {found.transactions} transactions, {found.states} states of a"
            " snapshot"
        )
        click.echo("the ledger equals the domain topics" if found.equal else f"{found.differing} DIFFERENCES")

    show(fmt, {"equal": found.equal, "found": found}, text)
    if not found.equal and not found.events:
        say(f"nothing is told: does figbridge run --settings {trial.settings} run?")
    return Exit.OK if found.equal else Exit.FINDINGS


def make_ready(box: Sandbox, mappings: Path) -> list[dict[str, object]]:
    """Make the worked example's databases and files, and say on stderr what to call next."""
    from figbridge.demo.trial.files import commands, prepare

    made = prepare(box, mappings)
    for trial in made:
        say(f"a shop on {trial.kind} is ready; next:")
        for line in commands(trial):
            say(f"  {line}")
    return [{"kind": t.kind, "settings": str(t.settings), "next": commands(t)} for t in made]


MAPPINGS = click.option(
    "--mappings", "-m", type=DIRECTORY, help="The example's documents, for the settings files; `mappings` where it is."
)
COMMANDS = (trade, verify)
