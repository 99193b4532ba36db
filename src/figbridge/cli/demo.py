"""`figbridge demo`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import DIRECTORY
from figbridge.cli.output import console, output_option, plain, say

if TYPE_CHECKING:
    from figbridge.demo.story import Act


@click.command()
@click.option(
    "--mappings", "-m", type=DIRECTORY, default=Path("mappings"), show_default=True, help="The example's documents."
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Folder for its data; a temporary one by default."
)
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C.")
@output_option
def demo(mappings: Path, data: Path | None, keep: bool, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Watch a real monolith's rows become routed events.

    A real PostgreSQL is started, a retail monolith trades in it, a real Debezium streams its rows out, and the bridge
    makes events of them. Everything that is shown is computed from this run. It ends by itself.
    """
    from figbridge.demo.stage import stage
    from figbridge.demo.story import Story

    began = time.monotonic()
    say("starting PostgreSQL, the monolith, Debezium and the bridge; this takes some seconds")
    told: list[dict[str, Any]] = []
    with stage(mappings, data) as set_stage:
        for number, act in enumerate(Story(set_stage).acts(), start=1):
            if fmt == "text":
                _print(number, act)
            else:
                told.append(plain(act))
        if fmt != "text":
            _dump(fmt, told)
        say(f"{time.monotonic() - began:.0f} s; nothing is left running" if not keep else "")
        if keep:
            _wait(set_stage.settings.data)
    return Exit.OK


def _print(number: int, act: Act) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text(f"\n{number:>2}  {act.title}", style="bold"))
    if act.pairs:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 4))
        table.add_column(ratio=1, style="dim")
        table.add_column(ratio=1)
        for rows, events in act.pairs:
            table.add_row(Text("\n".join(rows)), Text("\n".join(events)))
        out.print(table)
    for remark in act.remarks:
        out.print(Text(f"    {remark}", style="italic"))


def _dump(fmt: str, told: list[dict[str, Any]]) -> None:
    from figbridge.cli.output import show

    show(fmt, told, lambda: None)


def _wait(data: Path) -> None:
    import signal
    import threading

    say(f"PostgreSQL and the data are kept until Ctrl-C. In another terminal:\n  figbridge status --data {data}")
    say(f"  figbridge authority show --data {data}\n  figbridge authority history order.delivery --data {data}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
