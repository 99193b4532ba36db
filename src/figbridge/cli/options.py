"""Options that several commands share."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from figbridge.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def mappings_option(function: F) -> F:
    """Add `--mappings DIR`."""
    return click.option(
        "--mappings",
        "-m",
        type=DIRECTORY,
        default=Path("mappings"),
        show_default=True,
        help="Directory of the documents.",
    )(function)


def settings_options(function: F) -> F:
    """Add `--settings FILE`, `--data DIR` and `--mappings DIR`."""
    for option in (
        click.option("--settings", "settings_file", type=FILE, help="Settings file (YAML)."),
        click.option(
            "--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the embedded log and store."
        ),
        click.option("--mappings", "-m", type=DIRECTORY, help="Directory of the documents."),
    ):
        function = option(function)
    return function


reason_option = click.option("--reason", required=True, help="Why; it is kept for ever.")
by_option = click.option("--by", help="Who decides; the account's name by default.")


def account() -> str:
    """Return the name of the account this process runs under; its number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def settings_of(settings_file: Path | None, data: Path | None, mappings: Path | None, **others: object) -> Settings:
    """Load the settings that options name; raises ConfigurationError."""
    from figbridge.settings import load_settings

    return load_settings(settings_file, data=data, mappings=mappings, **others)
