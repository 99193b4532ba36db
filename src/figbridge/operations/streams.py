"""Splitting a source that is bridged already, or putting it together again: nothing may stay behind in a log that is
read no longer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from figbridge.errors import Refused
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.parking import SPACE as PARKED
from figbridge.ports import Log, TopicPartition

_HINT = "go back to the streams as they were until it is read and settled: docs/connectors.md#streams"


def refuse_left_behind(log: Log, group: str, sources: Mapping[str, str], edge: Edge) -> None:
    """Demand that a group leaves no log of its sources half read, and no parked key where nobody looks any more.

    `sources` is source log topic → source, or stream of one. Raises Refused.
    """
    committed = log.committed(group)
    for topic in _other_logs(log, sources, edge):
        place = TopicPartition(topic, 0)
        if place not in committed:
            continue
        if log.read(place, committed[place], 1):
            raise Refused(f"{topic} is read no longer, and has records that nobody read", hint=_HINT, code="STM001")
        state = log.states(group).get(topic)
        if state is not None and (parked := len({key for key, _, _ in state.scan(PARKED)})):
            raise Refused(f"{topic} is read no longer, and {parked} of its keys are parked", hint=_HINT, code="STM002")


def _other_logs(log: Log, sources: Mapping[str, str], edge: Edge) -> Iterator[str]:
    """Yield the source logs that these sources may have had before: whole, or of streams with other names."""
    whole = {edge.source_of(name) for name in sources.values()}
    for topic in sorted(set(log.topics()) - set(sources)):
        name = topic.removeprefix(f"{edge.topics.prefix}.").removesuffix(".log")
        if topic == edge.topics.log(name) and any(name == of or name.startswith(f"{of}_") for of in whole):
            yield topic
