"""`figbridge connectors pause | resume | stop | restart | delete`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from figbridge.cli.connectors_options import Chosen, connectors_options
from figbridge.cli.connectors_text import status_text
from figbridge.cli.exits import Exit
from figbridge.cli.output import output_option, say, show, sure

if TYPE_CHECKING:
    from figbridge.domain.connector import Live, Wanted
    from figbridge.operations.connectors.site import Site


def _steer(chosen: Chosen, name: str, fmt: str, do: Callable[[Site, Wanted], Live], *, look: bool) -> Exit:
    """Do something with a connector; afterwards look whether it really streams, where it should."""
    from figbridge.operations.connectors.look import FINE, settled

    with chosen.site() as site:
        wanted = site.named(name)
        do(site, wanted)
        if look:
            say("waiting for a heartbeat")
        found = settled(site, wanted)
    show(fmt, found, lambda: status_text([found]))
    return Exit.OK if not look or found.motion in FINE else Exit.FINDINGS


@click.command()
@click.argument("name")
@connectors_options
@output_option
def pause(chosen: Chosen, name: str, fmt: str) -> Exit:
    """Pause a connector; it keeps its slot, and the database keeps its log for it."""
    from figbridge.operations.connectors import steer

    return _steer(chosen, name, fmt, steer.pause, look=False)


@click.command()
@click.argument("name")
@connectors_options
@output_option
def resume(chosen: Chosen, name: str, fmt: str) -> Exit:
    """Let a paused or stopped connector go on. Exit 3 when it runs and does not stream."""
    from figbridge.operations.connectors import steer

    return _steer(chosen, name, fmt, steer.resume, look=True)


@click.command()
@click.argument("name")
@connectors_options
@output_option
def stop(chosen: Chosen, name: str, fmt: str) -> Exit:
    """Stop a connector: its tasks end, and its offsets may be changed."""
    from figbridge.operations.connectors import steer

    return _steer(chosen, name, fmt, steer.stop, look=False)


@click.command()
@click.argument("name")
@click.option("--failed", is_flag=True, help="Only what has failed.")
@connectors_options
@output_option
def restart(chosen: Chosen, name: str, failed: bool, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Start a connector and its task again. Exit 3 when it runs and does not stream."""
    from figbridge.operations.connectors import steer

    return _steer(chosen, name, fmt, lambda s, w: steer.restart(s, w, only_failed=failed), look=True)


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@connectors_options
@output_option
def delete(chosen: Chosen, name: str, yes: bool, fmt: str) -> Exit:  # noqa: FBT001 — a flag of click
    """Stop and delete a connector. What stays behind (slot, offsets, topics) is told."""
    from figbridge.operations.connectors import steer

    with chosen.site() as site:
        wanted = site.named(name)
        sure(f"Delete the connector {wanted.capture.connector}?", yes)
        left = steer.delete(site, wanted)

    def text() -> None:
        click.echo(f"{wanted.capture.connector} is deleted. What stays:")
        for each in left:
            click.echo(f"  {each}")

    show(fmt, {"deleted": wanted.capture.connector, "left": left}, text)
    return Exit.OK


COMMANDS: Final = (pause, resume, stop, restart, delete)
