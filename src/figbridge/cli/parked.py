"""`figbridge parked list | show | release | discard | decisions`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import account, by_option, reason_option, settings_of, settings_options
from figbridge.cli.output import output_option, say, show, table


@click.group()
def parked() -> None:
    """Keys that are set aside: their changes wait, in order, until somebody decides."""


@parked.command("list")
@settings_options
@output_option
def list_(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """List the parked keys, the one that has waited longest first."""
    from figbridge import bootstrap
    from figbridge.operations.parked import list_parked

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        found = list_parked(log, settings.group)
    rows = [(k.key, k.code, k.why, k.changes, k.since) for k in found]
    show(fmt, found, lambda: table(["key", "code", "why", "changes", "since"], rows, "nothing is parked"))
    return Exit.OK


@parked.command("show")
@click.argument("key")
@click.option("--values", is_flag=True, help="Show the rows' values, which may be personal data.")
@settings_options
@output_option
def show_(
    key: str,
    values: bool,  # noqa: FBT001 — a flag of click
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Show the changes that wait behind a parked key."""
    from figbridge import bootstrap
    from figbridge.operations.parked import show_parked

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        found = show_parked(log, settings.group, key, values=values)

    def text() -> None:
        rows = [(c.position, c.commit, c.code, c.why, ", ".join(c.tables)) for c in found]
        table(["position", "commit", "code", "why", "tables"], rows, "nothing waits")
        if values:
            for change in found:
                click.echo(f"{change.position}: {change.rows}")

    show(fmt, found, text)
    return Exit.OK


def _decide(
    action: Literal["release", "discard"],
    key: str,
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    fmt: str,
) -> Exit:
    from figbridge import bootstrap
    from figbridge.operations import parked as operations

    settings = settings_of(settings_file, data, None)
    with bootstrap.opened_log(settings) as log:
        sent = operations.decide(
            log,
            settings.group,
            bootstrap.topics(settings).control,
            key,
            action,
            by=by or account(),
            reason=reason,
            at=datetime.now(UTC).isoformat(),
        )
    show(fmt, sent, lambda: click.echo(f"{action} of {key} is sent; the bridge does it with its next batch"))
    say("what it did: figbridge parked decisions")
    return Exit.OK


@parked.command()
@click.argument("key")
@reason_option
@by_option
@settings_options
@output_option
def release(
    key: str,
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Judge the waiting changes of a key again, in order, with the mappings as they are now."""
    del mappings
    return _decide("release", key, reason, by, settings_file, data, fmt)


@parked.command()
@click.argument("key")
@reason_option
@by_option
@settings_options
@output_option
def discard(
    key: str,
    reason: str,
    by: str | None,
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Drop the waiting changes of a key; what they said is never said."""
    del mappings
    return _decide("discard", key, reason, by, settings_file, data, fmt)


@parked.command("decisions")
@settings_options
@output_option
def decisions_(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show who decided what on which key, why, and what the bridge did."""
    from figbridge import bootstrap
    from figbridge.operations.parked import decisions

    settings = settings_of(settings_file, data, mappings)
    with bootstrap.opened_log(settings) as log:
        found = decisions(log, settings.group)
    rows = [(d["at"], d["by"], d["action"], d["key"], d["reason"], d["done"], d["still_parked"]) for d in found]
    columns = ["at", "by", "action", "key", "reason", "changes", "still parked"]
    show(fmt, found, lambda: table(columns, rows, "nobody has decided anything yet"))
    return Exit.OK
