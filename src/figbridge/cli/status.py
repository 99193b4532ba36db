"""`figbridge status`."""

from __future__ import annotations

from pathlib import Path

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import settings_of, settings_options
from figbridge.cli.output import output_option, show, table
from figbridge.cli.replay import account_text


@click.command()
@settings_options
@output_option
def status(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show both ledgers, lag, parked keys and suspects. Exit 3 when a ledger does not balance or a suspect is open."""
    from figbridge import bootstrap
    from figbridge.operations.status import status as look

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    with bootstrap.opened_log(settings) as log, bootstrap.opened_store(settings) as store:
        found = look(log, store, settings.group, bootstrap.source_topics(log, topics))

    def text() -> None:
        rows = [(s.source, s.topic, s.end, s.committed, s.records_behind) for s in found.sources]
        table(["source", "log", "end", "committed", "behind"], rows, "no source log yet")
        click.echo(account_text({k: dict(v) for k, v in found.account.items()}))
        click.echo("both ledgers balance" if found.balanced else f"LEDGERS DO NOT BALANCE: {found.unbalanced}")
        click.echo(f"parked: {found.parked_keys} keys, {found.parked_changes} changes")
        click.echo(
            f"quarantined: {found.quarantined}   dead letters: {found.dead_letters}, open: {found.dead_letters_open}"
        )
        version = found.authority_version
        click.echo(f"authority: {f'version {version}' if version is not None else 'CANNOT BE READ, the bridge holds'}")
        for s in found.suspects:
            tables = ", ".join(s.tables) or "any table"
            click.echo(
                f"SUSPECT {s.source} transaction {s.tx} at {s.position}: {s.doubt}, {s.detail} ({tables})"
                f"{f'; a person must decide: {s.case}' if s.case else ''}"
            )
        if found.suspects:
            click.echo("next: figbridge holes check")

    show(fmt, found, text)
    return Exit.OK if found.balanced and not found.suspects else Exit.FINDINGS
