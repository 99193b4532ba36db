"""`figbridge config`."""

from __future__ import annotations

from pathlib import Path

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import settings_of, settings_options
from figbridge.cli.output import output_option, show, table


@click.group()
def config() -> None:
    """Show what a bridge is told."""


@config.command(name="show")
@settings_options
@output_option
def show_settings(settings_file: Path | None, data: Path | None, mappings: Path | None, fmt: str) -> Exit:
    """Show the settings in force, and where each comes from; secrets are masked."""
    from figbridge.effective import effective

    settings = settings_of(settings_file, data, mappings)
    options = {name for name, value in {"data": data, "mappings": mappings}.items() if value is not None}
    found = effective(settings, settings_file, options)

    def text() -> None:
        table(("setting", "value", "from"), [[("" if v is None else v) for v in e] for e in found], "no settings")

    show(fmt, {e.name: {"value": e.value, "origin": e.origin} for e in found}, text)
    return Exit.OK
