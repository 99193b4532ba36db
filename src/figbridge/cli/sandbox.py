"""`figbridge sandbox up | down | status | logs | reset`, and from sandbox_trial.py trade and verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.output import output_option, say, show, table
from figbridge.cli.progress import Rate
from figbridge.cli.sandbox_options import data_option, ports
from figbridge.cli.sandbox_trial import COMMANDS, MAPPINGS, make_ready

if TYPE_CHECKING:
    from figbridge.sandbox import Seen

_KINDS = ("kafka", "connect", "postgres", "mariadb")


@click.group()
def sandbox() -> None:
    """Run a real Kafka, Kafka Connect, PostgreSQL and MariaDB on this computer, without Docker."""


@sandbox.command()
@click.argument("kinds", nargs=-1, type=click.Choice(_KINDS), metavar="[kafka|connect|postgres|mariadb]...")
@click.option("--brokers", type=click.IntRange(1, 5), help="How many Kafka brokers; 1 by default.")
@click.option("--workers", type=click.IntRange(1, 5), help="How many Connect workers; 1 by default.")
@click.option("--port", "chosen", multiple=True, callback=ports, metavar="SERVER=PORT", help="A port; else a free one.")
@click.option("--lossy", is_flag=True, help="Also the older Debezium that loses rows, to see them found.")
@click.option("--fetch-only", is_flag=True, help="Fetch what is missing, and start nothing.")
@MAPPINGS
@data_option
@output_option
def up(
    kinds: tuple[str, ...],
    brokers: int | None,
    workers: int | None,
    chosen: dict[str, int],
    lossy: bool,  # noqa: FBT001 — a flag of click
    fetch_only: bool,  # noqa: FBT001 — a flag of click
    mappings: Path | None,
    data: Path,
    fmt: str,
) -> Exit:
    """Start the servers that do not run, and wait until they can be used.

    Which: the kinds that are named, with those that they need; else all of the sandbox, which are all four kinds the
    first time. They run on when this command has ended, until `figbridge sandbox down`. The first time it fetches some
    260 MB through Maven. It is safe to call again: it mends what died, and lets what runs alone.

    Where there are mappings, it makes the databases of the worked example and writes settings for it: one file for each
    kind of database, and the commands to go on with.
    """
    from figbridge import bootstrap

    known = bootstrap.sandbox(data)
    box = bootstrap.sandbox(
        data,
        kinds or (() if known.plan.kinds else _KINDS),
        brokers=brokers,
        workers=workers,
        lossy=lossy,
        chosen=chosen,
    )
    rate = Rate("fetching Kafka, Debezium and MariaDB", box.to_fetch())
    cache = box.fetch(lambda got: rate.say(got.bytes, got.seconds))
    rate.end()
    if fetch_only:
        show(fmt, {"fetched": str(cache)}, lambda: click.echo(f"all is in {cache}"))
        return Exit.OK
    started = box.up(say)
    say(f"started {', '.join(started)}" if started else "everything ran already")
    seen = box.status()
    show(fmt, seen, lambda: _print(seen))
    if {"postgres", "mariadb"} & set(box.plan.kinds):
        say(f"users and passwords: {box.secrets}")
    if (documents := mappings or Path("mappings")).is_dir():
        make_ready(box, documents)
    return Exit.OK


@sandbox.command()
@data_option
@output_option
def down(data: Path, fmt: str) -> Exit:
    """Stop all servers; their data stay."""
    from figbridge import bootstrap

    stopped = bootstrap.sandbox(data).down()
    show(fmt, {"stopped": stopped}, lambda: click.echo(f"stopped {', '.join(stopped)}" if stopped else "nothing ran"))
    return Exit.OK


@sandbox.command()
@data_option
@output_option
def status(data: Path, fmt: str) -> Exit:
    """Show how each server is, its process and address. Exit 3 when one died or does not answer."""
    from figbridge import bootstrap

    seen = bootstrap.sandbox(data).status()
    show(fmt, seen, lambda: _print(seen))
    ill = [s.name for s in seen if s.state in ("died", "silent")]
    if ill:
        say(f"{', '.join(ill)}: see figbridge sandbox logs {ill[0]}; figbridge sandbox up starts what died")
    return Exit.FINDINGS if ill else Exit.OK


@sandbox.command()
@click.argument("server", required=False)
@click.option("--lines", "-n", type=click.IntRange(1), default=20, show_default=True, help="How many, from the end.")
@data_option
@output_option
def logs(server: str | None, lines: int, data: Path, fmt: str) -> Exit:
    """Show the end of a server's log, or of all."""
    from figbridge import bootstrap

    box = bootstrap.sandbox(data)
    found = {name: box.server(name).tail(lines) for name in ([server] if server else box.plan.names())}

    def text() -> None:
        for name, said in found.items():
            if not server:
                click.echo(f"== {name}")
            click.echo("\n".join(said))

    show(fmt, found, text)
    for name in found:
        say(f"{name}: {box.server(name).log}")
    return Exit.OK


@sandbox.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
@output_option
def reset(yes: bool, data: Path, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Stop all servers and delete their data. What was fetched stays."""
    from figbridge import bootstrap

    box = bootstrap.sandbox(data)
    if box.plan.kinds and not yes:
        click.confirm(f"Delete all data in {box.folder}?", abort=True, err=True)
    stopped = box.reset()
    show(fmt, {"stopped": stopped, "deleted": str(box.folder)}, lambda: click.echo(f"{box.folder} is empty"))
    return Exit.OK


def _print(seen: list[Seen]) -> None:
    rows = [(s.name, s.state, s.pid or "", s.address, s.log) for s in seen]
    table(["server", "state", "pid", "address", "log"], rows, "there is no sandbox here: figbridge sandbox up")


for _command in COMMANDS:
    sandbox.add_command(_command)
