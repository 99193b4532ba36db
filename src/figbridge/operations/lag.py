"""How far behind its source logs a bridge is, looked up beside its work: the brokers may take their time to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Event, Thread
from typing import Final

from figbridge.domain.change import End, RowChange
from figbridge.errors import OperationalError
from figbridge.pipeline.edge import Edge
from figbridge.ports import Log, Record, TopicPartition
from figbridge.telemetry.metrics import Metric, note

_EVERY_S: Final = 5.0
_LEAVE_S: Final = 1.0
_AHEAD: Final = 50
"""So many records are looked at, to count them and to find one that tells when the source committed it."""


class Lag:
    """Note how far one group is behind, every few seconds, in a thread of its own.

    `sources` is source log topic → source; `now_s` gives seconds since 1970.
    """

    def __init__(
        self,
        log: Log,
        group: str,
        sources: Mapping[str, str],
        edge: Edge,
        now_s: Callable[[], float],
        every_s: float = _EVERY_S,
    ) -> None:
        self.trouble = ""
        """Why the log could not be asked at the newest look; empty when it could. A worker that only waits for records
        does not notice that the brokers are gone."""
        self._log = log
        self._group = group
        self._sources = sources
        self._decoders = {topic: edge.decoder(topic) for topic in sources}
        self._now_s = now_s
        self._every_s = every_s
        self._done = Event()
        self._thread = Thread(target=self._watch, name="figbridge-lag", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more. A look that waits for brokers is left behind: the process ends without it."""
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join(_LEAVE_S)

    def look(self) -> None:
        """Note how far behind the group is, in records and in seconds since the source committed."""
        try:
            self._look()
            self.trouble = ""
        except OperationalError as error:  # the figures stay as they were
            self.trouble = str(error)

    def _watch(self) -> None:
        while not self._done.is_set():
            self.look()
            self._done.wait(self._every_s)

    def _look(self) -> None:
        ends = self._log.ends(self._sources)
        committed = self._log.committed(self._group)
        for topic, source in self._sources.items():
            place = TopicPartition(topic, 0)
            behind = max(0, ends.get(place, 0) - committed.get(place, 0))
            waiting = self._log.read(place, committed.get(place, 0), _AHEAD) if behind else []
            # Offsets may be marks of transactions, which are no records: near the end the records are counted.
            behind = len(waiting) if len(waiting) < _AHEAD else behind
            note(Metric.LAG_RECORDS, behind, source=source)
            late = max(0.0, self._now_s() - self._at_s(topic, waiting)) if waiting else 0.0
            note(Metric.LAG_SECONDS, late, source=source)

    def _at_s(self, topic: str, waiting: Iterable[Record]) -> float:
        """Return when the source committed the first of these records; when it was appended, if none tells."""
        first: Record | None = None
        for record in waiting:
            first = first or record
            match self._decoders[topic](record):
                case RowChange(detail=detail):
                    return detail.at_us / 1e6
                case End(at_us=at_us):
                    return at_us / 1e6
        return first.timestamp / 1000 if first else 0.0
