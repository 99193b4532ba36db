"""`figbridge explain`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from figbridge.cli.exits import Exit
from figbridge.cli.options import FILE, settings_of, settings_options
from figbridge.cli.output import output_option, plain, show
from figbridge.cli.progress import progress

if TYPE_CHECKING:
    from figbridge.ports import Log, Record


@click.command()
@click.argument("position")
@click.option("--records", "-r", type=FILE, help="Captured records; without it, the log of the bridge is read.")
@click.option("--values", is_flag=True, help="Show the rows' values, which may be personal data.")
@settings_options
@output_option
def explain(
    position: str,
    records: Path | None,
    values: bool,  # noqa: FBT001 — a flag of click
    settings_file: Path | None,
    data: Path | None,
    mappings: Path | None,
    fmt: str,
) -> Exit:
    """Show what became of one record, step by step: the rules, what each gave, the verdicts, and why.

    POSITION is topic/partition@offset of a source log, or only the offset with --records.
    """
    from figbridge import bootstrap
    from figbridge.operations.explain import explain as explained

    settings = settings_of(settings_file, data, mappings)
    topics = bootstrap.topics(settings)
    documents = bootstrap.documents(settings.mappings)
    plan = bootstrap.plan(documents)
    topic, offset = _position(position, whole=records is None)
    if records is not None:
        stream = progress(bootstrap.capture(records), "reading", "records")
        edge = bootstrap.edge(plan, topics)
        found = explained(plan, edge, bootstrap.declared_authority(documents), "legacy", stream, offset, values=values)
    else:
        with bootstrap.opened_log(settings) as log, bootstrap.opened_store(settings) as store:
            source = bootstrap.source_topics(log, topics).get(topic)
            if source is None:
                raise click.UsageError(f"there is no source log '{topic}'")
            edge = bootstrap.reading_edge(plan, settings)
            stream = progress(_read(log, topic), "reading", "records", offset + 1)
            found = explained(plan, edge, store.load(), source, stream, offset, values=values)

    def text() -> None:
        click.echo(found.position)
        for step in found.steps:
            click.echo(f"  {step.step}")
            for detail in step.details:
                click.echo(f"    {detail}")
        for outcome in found.outcomes:
            click.echo(f"  {plain(outcome)}")

    show(fmt, found, text)
    return Exit.OK


def _position(text: str, *, whole: bool) -> tuple[str, int]:
    place, _, offset = text.rpartition("@")
    topic, _, _ = place.rpartition("/")
    if not offset.isdigit() or (whole and not topic):
        raise click.UsageError(f"'{text}' is not topic/partition@offset")
    return topic, int(offset)


def _read(log: Log, topic: str) -> Iterator[Record]:
    from figbridge.ports import TopicPartition

    at = 0
    while chunk := log.read(TopicPartition(topic, 0), at, 1000):
        yield from chunk
        at = chunk[-1].offset + 1
