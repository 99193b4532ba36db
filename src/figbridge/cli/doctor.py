"""`figbridge doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import DIRECTORY, FILE, settings_of
from figbridge.cli.output import output_option, say, show

if TYPE_CHECKING:
    from figbridge.operations.doctor.check import Result
    from figbridge.operations.doctor.examine import Report

_MIB = 1 << 20


@click.command()
@click.option("--settings", "settings_file", type=FILE, help="Settings file (YAML).")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of the embedded log and store.")
@click.option("--mappings", "-m", type=DIRECTORY, help="Directory of the documents.")
@click.option("--connect", "documents", type=DIRECTORY, help="Directory of the connector documents.")
@click.option("--scan", is_flag=True, help="Read whole tables too: codes, zero dates, unsigned values.")
@click.option("--accept", "accepted", multiple=True, metavar="CODE[=ABOUT]", help="Told, and no finding. Repeatable.")
@click.option("--max-lag-mib", type=click.IntRange(1), default=1024, show_default=True, help="Slot lag in bytes.")
@click.option("--max-lag-seconds", type=click.IntRange(1), default=300, show_default=True, help="Lag in time.")
@click.option("--outage-hours", type=click.IntRange(1), default=24, show_default=True, help="The longest to survive.")
@click.option("--all", "everything", is_flag=True, help="Show what is fine as well.")
@output_option
def doctor(
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    documents: Path | None,
    scan: bool,  # noqa: FBT001 — flags of click
    accepted: tuple[str, ...],
    max_lag_mib: int,
    max_lag_seconds: int,
    outage_hours: int,
    everything: bool,  # noqa: FBT001
    fmt: str,
) -> Exit:
    """Check databases, connectors, topics and mappings against what they must be. It never writes.

    Exit 3 on findings; what cannot be checked is one.
    """
    from figbridge import bootstrap
    from figbridge.operations.doctor.examine import examine
    from figbridge.operations.doctor.scene import Limits

    limits = Limits(max_lag_mib * _MIB, float(max_lag_seconds), outage_hours * 3600.0)
    with bootstrap.clinic(settings_of(settings_file, data, mappings), documents) as clinic:
        report = examine(clinic, limits, say, scan=scan, accepted=accepted)
    show(fmt, report, lambda: _text(report, everything=everything))
    return Exit.FINDINGS if report.findings else Exit.OK


def _text(report: Report, *, everything: bool) -> None:
    from figbridge.operations.doctor.check import State

    for result in report.results:
        if everything or result.state is not State.OK:
            _tell(result)
    told = [f"{count} {state.value}" for state in State if (count := report.count(state))]
    click.echo(", ".join(told) or "no source is set")


def _tell(result: Result) -> None:
    about = f" {result.about}" if result.about else ""
    click.echo(f"{result.state.value.upper():9} {result.code} {result.source}: {result.what}:{about} {result.found}")
    if result.is_finding:
        for name, text in (("must", result.must), ("why", result.why), ("fix", result.fix)):
            click.echo(f"{'':10}{name + ':':6}{text}")
