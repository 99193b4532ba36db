"""`figbridge version`."""

from __future__ import annotations

import platform

import click

from figbridge import __version__
from figbridge.cli.output import output_option, show


@click.command()
@output_option
def version(fmt: str) -> None:
    """Print the version of figbridge and of Python."""
    found = {"figbridge": __version__, "python": platform.python_version()}
    show(fmt, found, lambda: click.echo(f"figbridge {__version__} (Python {platform.python_version()})"))
