"""What every command about connectors needs: settings, mappings, and the folder of connector documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from figbridge.cli.options import DIRECTORY, FILE, settings_of

if TYPE_CHECKING:
    from figbridge.operations.connectors.site import Site


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files that a command was called with."""

    settings_file: Path | None
    mappings: Path | None
    documents: Path | None

    @contextmanager
    def site(self) -> Iterator[Site]:
        """Give what the operations work on; raises ConfigurationError with every finding in the files."""
        from figbridge import bootstrap

        with bootstrap.connectors(settings_of(self.settings_file, None, self.mappings), self.documents) as site:
            yield site


def connectors_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--settings FILE`, `--mappings DIR` and `--connect DIR`; the function gets them as `chosen`."""

    @wraps(function)
    def called(settings_file: Path | None, mappings: Path | None, documents: Path | None, **rest: Any) -> Any:
        return function(chosen=Chosen(settings_file, mappings, documents), **rest)

    for option in (
        click.option("--settings", "settings_file", type=FILE, help="Settings file (YAML)."),
        click.option("--mappings", "-m", type=DIRECTORY, help="Directory of the documents."),
        click.option("--connect", "documents", type=DIRECTORY, help="Directory of the connector documents."),
    ):
        called = option(called)
    return called
