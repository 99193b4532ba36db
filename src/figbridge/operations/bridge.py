"""Run the bridge: its topics, its facts, its streams and one worker, until it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from figbridge.domain.fact import Fact
from figbridge.domain.verdict import Verdict
from figbridge.errors import OperationalError, Refused
from figbridge.mapping.compiler import Plan
from figbridge.operations import authority
from figbridge.operations.figures import Figures
from figbridge.operations.lag import Lag
from figbridge.operations.streams import refuse_left_behind
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.pace import EACH_POLL, Pace
from figbridge.pipeline.perform import Performed, Topics
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import Workers
from figbridge.ports import AuthorityStore, Log, Session, Stream
from figbridge.telemetry.events import LogEvent, tell
from figbridge.telemetry.health import Health
from figbridge.telemetry.metrics import Metric, note

_STREAMING_S = 120.0


class Renewed(NamedTuple):
    """Other mappings for a running bridge, of the same sources."""

    plan: Plan
    edge: Edge
    facts: tuple[Fact, ...]
    now: datetime
    by: str


@dataclass(slots=True)
class Bridge:
    """Everything that one running bridge is made of. `streams` is empty when connectors run elsewhere."""

    plan: Plan
    log: Log
    store: AuthorityStore
    edge: Edge
    sources: Mapping[str, str]
    """Source log topic → source."""
    group: str
    batch: int = 1000
    domain_partitions: int = 4
    streams: Mapping[str, Stream] = field(default_factory=dict)
    observe: Callable[[Process, list[Performed]], None] | None = None
    start: Mapping[str, int] = field(default_factory=dict)
    """Source log topic → where to start when the group has never read it."""
    pace: Pace = EACH_POLL
    figures: Figures | None = None
    lag: Lag | None = None
    health: Health | None = None

    def prepare(self, facts: Iterable[Fact], now: datetime, by: str) -> None:
        """Create the topics, and declare the facts.

        Raises Refused when a mapping speaks of a fact nobody declared, and when other streams would leave something
        behind in a log that is read no longer.
        """
        refuse_left_behind(self.log, self.group, self.sources, self.edge)
        create_topics(self.log, self.plan, self.edge.topics, self.sources, self.domain_partitions)
        declared = authority.declare(self.store, facts, now, by)
        for finding in declared.findings:
            tell(LogEvent.FACTS_CONTRADICT, code=finding.code, fact=finding.fact, message=finding.message)
        known = {cell.fact for cell in self.store.load().cells()}
        missing = sorted(spoken_of(self.plan) - known)
        if missing:
            raise Refused(
                f"nobody declared who owns {', '.join(missing)}", hint="add it to mappings/facts.yaml", code="AUT010"
            )

    def run(
        self,
        stop: Callable[[], bool],
        *,
        idle: Callable[[], bool] | None = None,
        renewed: Callable[[], Renewed | None] = lambda: None,
    ) -> int:
        """Work until told to stop; returns the number of records read.

        `idle`, when given, is asked after each empty poll, and true ends the run too. `renewed` is asked between two
        batches, and gives other mappings to go on with. Raises what a stream failed of.
        """
        member = self.log.join(self.group, list(self.sources), [self.edge.topics.control], self.start)
        read = 0
        try:
            workers = Workers(member, self._process, self.store, self.batch, self._observed, self.pace)
            for source, stream in self.streams.items():
                stream.start()
                tell(LogEvent.STREAM_STARTED, source=source, topic=self.edge.topics.log(source))
            tell(
                LogEvent.BRIDGE_STARTED,
                group=self.group,
                sources=sorted(self.sources.values()),
                mappings=sorted(self.plan.mappings),
                facts=sorted(spoken_of(self.plan)),
            )
            if self.lag is not None:
                self.lag.start()
            while not stop():
                came = workers.step(0.1)
                read += came
                self._look(workers)
                self._check_streams()
                if (other := renewed()) is not None:
                    self._renew(workers, other)
                if not came and idle is not None and idle():
                    break
        finally:
            if self.health is not None:
                self.health.stopping()
            if self.lag is not None:
                self.lag.stop()
            for stream in self.streams.values():
                stream.stop()
            member.close()
            tell(LogEvent.BRIDGE_STOPPED, group=self.group, records=read)
        return read

    def _process(self, logs: tuple[str, ...], session: Session) -> Process:
        return Process(self.plan, session.state, {t: self.sources[t] for t in logs}, self.edge)

    def _look(self, workers: Workers) -> None:
        """Say how it goes to whoever watches over the process."""
        held = len(list(workers.held()))
        trouble = workers.trouble
        if self.figures is not None:
            self.figures.look(workers.processes(), workers.states())
        if self.lag is not None:
            trouble = trouble or self.lag.trouble
        note(Metric.HELD_SOURCES, held)
        note(Metric.READY, 0 if trouble else 1)
        if self.health is None:
            return
        if trouble:
            self.health.troubled(trouble)
        else:
            self.health.looked(held)

    def _renew(self, workers: Workers, other: Renewed) -> None:
        """Go on with other mappings, from the edge that is committed. Raises Refused as `prepare` does."""
        self.plan, self.edge = other.plan, other.edge
        self.prepare(other.facts, other.now, other.by)
        workers.renew(self._process)
        tell(LogEvent.MAPPINGS_RENEWED, mappings=sorted(self.plan.mappings))

    def _check_streams(self) -> None:
        for source, stream in self.streams.items():
            if stream.failure is not None:
                tell(LogEvent.STREAM_FAILED, source=source, reason=str(stream.failure))
                raise stream.failure

    def _observed(self, process: Process, performed: list[Performed]) -> None:
        log_batch(process, performed)
        if self.figures is not None:
            self.figures.batch(process, performed)
        if self.observe is not None:
            self.observe(process, performed)


def create_topics(log: Log, plan: Plan, topics: Topics, sources: Iterable[str], partitions: int) -> None:
    """Create every topic that the bridge reads or writes; existing ones stay."""
    for topic in (*sources, topics.control, topics.quarantine, topics.dead_letters):
        log.create(topic)
    for aggregate in sorted(aggregates(plan)):
        log.create(topics.domain(aggregate), partitions)
        log.create(topics.shadow(aggregate), partitions)


def aggregates(plan: Plan) -> set[str]:
    """Return the aggregate types that mappings and services speak about."""
    named = {c.mapping.aggregate for c in plan.mappings.values()}
    return named | {e.aggregate for s in plan.services.values() for e in s.events}


def spoken_of(plan: Plan) -> set[str]:
    """Return the facts that mappings and services speak about."""
    named = {f for c in plan.mappings.values() for f, _ in c.mapping.facts}
    return named | {e.fact for s in plan.services.values() for e in s.events}


def log_batch(process: Process, performed: list[Performed]) -> None:
    """Say in the log what a batch holds that a person should know of."""
    for transaction, said in process.pending:
        for suspect in transaction.suspects if transaction is not None else ():
            tell(
                LogEvent.TRANSACTION_SUSPECT,
                source=said.origin.source,
                doubt=suspect.doubt.value,
                tx=suspect.tx,
                position=str(suspect.position),
                tables=list(suspect.tables),
            )
        for key, park in said.parked.items():
            tell(LogEvent.KEY_PARKED, key=key, code=park.code, why=park.why, position=str(said.origin.position))
        for event, fields in said.news:
            tell(event, **fields)
        for dead in said.dead:
            tell(LogEvent.RECORD_DEAD, reason=dead.reason, position=str(dead.position))
    for done in performed:
        if done.decision.verdict is Verdict.UNAUTHORISED:
            claim = done.decision.claim
            tell(
                LogEvent.CLAIM_QUARANTINED,
                fact=claim.cell.fact,
                subject=claim.subject,
                speaker=claim.speaker,
                owner=done.decision.owner,
                position=str(done.origin.position),
            )


def wait_streaming(streams: Iterable[Stream], timeout_s: float = _STREAMING_S) -> None:
    """Wait until every stream reads its database's log. Raises Unreachable, or what a stream failed of."""
    deadline = time.monotonic() + timeout_s
    for stream in streams:
        stream.wait_streaming(max(0.1, deadline - time.monotonic()))
        if isinstance(stream.failure, OperationalError):
            raise stream.failure
