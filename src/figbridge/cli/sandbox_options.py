"""Options that the commands of `figbridge sandbox` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def data_option(function: F) -> F:
    """Add `--data DIR`."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".sandbox"),
        show_default=True,
        help="Folder of the servers' data, logs and passwords.",
    )(function)


def ports(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> dict[str, int]:
    """Read `SERVER=PORT` options."""
    found = {}
    for value in values:
        name, _, port = value.partition("=")
        if not port.isdecimal() or not 0 < int(port) < 65_536:
            raise click.BadParameter(f"{value} is not SERVER=PORT, such as kafka-1=9092", ctx, param)
        found[name] = int(port)
    return found
