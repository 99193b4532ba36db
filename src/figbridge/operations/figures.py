"""Turn what a bridge does into figures: after each batch what was counted, now and then what waits for a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from figbridge.pipeline.holes import suspects_of
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process
from figbridge.ports import State
from figbridge.telemetry.metrics import Metric, note

_LOOK_EVERY_S = 5.0


class Figures:
    """Note the figures of the bridge over these sources. `now_s` gives seconds since 1970."""

    def __init__(self, sources: Iterable[str], now_s: Callable[[], float]) -> None:
        self._sources = tuple(sources)
        self._now_s = now_s
        self._looked_s = 0.0

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
        """Note what is parked and what is suspect, if that was not done just now."""
        now = self._now_s()
        if now - self._looked_s < _LOOK_EVERY_S:
            return
        self._looked_s = now
        parked = [waiting for process in processes for waiting in process.parking.oldest()]
        note(Metric.PARKED_KEYS, len(parked))
        note(Metric.PARKED_OLDEST_SECONDS, max((now - at_us / 1e6 for at_us in parked), default=0.0))
        suspects = Counter(source for state in states for source, _, _ in suspects_of(state))
        for source in self._sources:
            note(Metric.SUSPECTS_OPEN, suspects[source], source=source)
