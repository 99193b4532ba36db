"""Turn what a bridge does into figures: after each batch what was counted, now and then how far behind it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from figbridge.domain.change import End, RowChange
from figbridge.errors import OperationalError
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.holes import suspects_of
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process
from figbridge.ports import Log, Record, State, TopicPartition
from figbridge.telemetry.metrics import Metric, note

_LOOK_EVERY_S = 5.0
_AHEAD = 50
"""So many records are looked at to find one that tells when the source committed it."""


class Figures:
    """Note the figures of one group. `sources` is source log topic → source; `now_s` gives seconds since 1970."""

    def __init__(
        self, log: Log, group: str, sources: Mapping[str, str], edge: Edge, now_s: Callable[[], float]
    ) -> None:
        self._log = log
        self._group = group
        self._sources = sources
        self._edge = edge
        self._now_s = now_s
        self._looked_s = 0.0
        self.trouble = ""
        """Why the log could not be asked at the newest look; empty when it could. A worker that only waits for records
        does not notice that the brokers are gone."""

    def batch(self, process: Process, performed: list[Performed]) -> None:
        """Note what a batch held, after its commit: `process.pending` still holds what it was made of."""
        for counted, n in process.counted.items():
            if counted != "read":
                note(Metric.RECORDS, n, counted=str(counted))
        verdicts = Counter((done.decision.verdict, done.decision.claim.mapping) for done in performed)
        for (verdict, mapping), n in verdicts.items():
            note(Metric.CLAIMS, n, verdict=verdict.value, mapping=mapping)
        for source, n in Counter(said.origin.source for _, said in process.pending).items():
            note(Metric.TRANSACTIONS, n, source=source)
        for transaction, said in process.pending:
            for dead in said.dead:
                note(Metric.DEAD_LETTERS, 1, reason=dead.reason)
            for suspect in transaction.suspects if transaction is not None else ():
                note(Metric.SUSPECTS, 1, source=said.origin.source, doubt=suspect.doubt.value)

    def look(self, processes: Iterable[Process], states: Iterable[State]) -> None:
        """Note how far behind the group is, what it has parked and what is suspect, if that was not done just now."""
        now = self._now_s()
        if now - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now
        parked = [waiting for process in processes for waiting in process.parking.oldest()]
        note(Metric.PARKED_KEYS, len(parked))
        note(Metric.PARKED_OLDEST_SECONDS, max((now - at_us / 1e6 for at_us in parked), default=0.0))
        suspects = Counter(source for state in states for source, _, _ in suspects_of(state))
        for source in self._sources.values():
            note(Metric.SUSPECTS_OPEN, suspects[source], source=source)
        try:
            self._lag(now)
            self.trouble = ""
        except OperationalError as error:  # the figures stay as they were
            self.trouble = str(error)

    def _lag(self, now: float) -> None:
        ends = self._log.ends(self._sources)
        committed = self._log.committed(self._group)
        for topic, source in self._sources.items():
            place = TopicPartition(topic, 0)
            behind = max(0, ends.get(place, 0) - committed.get(place, 0))
            waiting = self._log.read(place, committed.get(place, 0), _AHEAD) if behind else []
            note(Metric.LAG_RECORDS, behind, source=source)
            note(Metric.LAG_SECONDS, max(0.0, now - self._at_s(topic, waiting)) if waiting else 0.0, source=source)

    def _at_s(self, topic: str, waiting: Iterable[Record]) -> float:
        """Return when the source committed the first of these records; when it was appended, if none tells."""
        decode, first = self._edge.decoder(topic), None
        for record in waiting:
            first = first or record
            match decode(record):
                case RowChange(detail=detail):
                    return detail.at_us / 1e6
                case End(at_us=at_us):
                    return at_us / 1e6
        return first.timestamp / 1000 if first else 0.0
