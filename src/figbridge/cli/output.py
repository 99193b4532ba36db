"""Print results on stdout as text, JSON or YAML; say everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, is_dataclass
from enum import Enum
from typing import Any, TypeVar

import click

_ONE_LINE = 10_000

F = TypeVar("F", bound=Callable[..., Any])


def output_option(function: F) -> F:
    """Add `-o text|json|yaml` to a command."""
    return click.option(
        "-o",
        "--output",
        "fmt",
        type=click.Choice(["text", "json", "yaml"]),
        default="text",
        show_default=True,
        help="How results are written.",
    )(function)


def plain(value: Any) -> Any:
    """Return a value made of maps, lists, texts and numbers only."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if hasattr(value, "__struct_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def show(fmt: str, value: Any, text: Callable[[], None]) -> None:
    """Print one result: as JSON or YAML, or by calling `text`, which prints it for people."""
    if fmt == "json":
        click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))
    elif fmt == "yaml":
        import yaml

        click.echo(yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True), nl=False)
    else:
        text()


def line(fmt: str, value: Any, text: str) -> None:
    """Print one of many results: a line of JSON, a YAML document, or text."""
    if fmt == "json":
        click.echo(json.dumps(plain(value), ensure_ascii=False, separators=(",", ":")))
    elif fmt == "yaml":
        import yaml

        click.echo(yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, explicit_start=True), nl=False)
    else:
        click.echo(text)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Print a table for people; `empty` when it has no rows."""
    if not rows:
        click.echo(empty)
        return
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    out = console()
    if not sys.stdout.isatty():
        out.width = _ONE_LINE  # a pipe has no width: a row stays one line, and nothing is cut off
    out.print(made)


def console(*, stderr: bool = False) -> Any:
    """Return a rich console; it knows NO_COLOR, and writes no colour into a pipe."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def say(text: str) -> None:
    """Say something on stderr that is not a result."""
    click.echo(text, err=True)


def sure(question: str, yes: bool) -> None:  # noqa: FBT001 — a flag's value
    """Ask whether to go on. Raises click.Abort for no, UsageError when nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say so with --yes: nobody can be asked here.")
    click.confirm(question, abort=True, err=True)
