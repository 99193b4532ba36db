"""The log on Kafka: topics, records outside any group, and the sessions of groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Producer

from figbridge.adapters.kafka.changelog import changelog_of
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.doubt import Aborted, Unsure
from figbridge.adapters.kafka.failures import said
from figbridge.adapters.kafka.hold import Hold
from figbridge.adapters.kafka.member import KafkaMember
from figbridge.adapters.kafka.membership import Membership
from figbridge.adapters.kafka.positions import Positions
from figbridge.adapters.kafka.producer import Transactions
from figbridge.adapters.kafka.read import Reader
from figbridge.adapters.kafka.records import placed, put
from figbridge.adapters.kafka.restoring import Tell
from figbridge.adapters.kafka.session import KafkaSession
from figbridge.adapters.kafka.topics import COMPACTED, Topics
from figbridge.adapters.kafka.view import View
from figbridge.errors import Unreachable
from figbridge.ports import Headers, Outgoing, Record, State, TopicPartition

_APPEND_ATTEMPTS: Final = 3

KEPT: Final = {"cleanup.policy": "delete", "retention.ms": "-1"}
"""Records carry the time of the source's commit, and brokers delete by that: with their default of a week, what a
bridge says of an older transaction would be gone within minutes. How long a topic is kept is for people to say."""


class KafkaLog:
    """Open the log of a cluster. `caches` is the folder of local copies of state; None keeps none over a restart.

    Everything raises Unreachable when the brokers do not answer for the cluster's `patience_s`, and Refused for what
    this account may not do. Safe between threads, but for its sessions.
    """

    def __init__(self, cluster: Cluster, caches: Path | None = None, tell: Tell | None = None) -> None:
        self._cluster = cluster
        self._caches = caches
        self._tell = tell
        self._topics = Topics(cluster)
        self._lock = Lock()
        self._appender: Transactions | None = None
        self._reader = Reader(cluster, self._topics)
        self._positions = Positions(cluster, self._topics)
        self._closers: list[Callable[[], None]] = [self._reader.close, self._positions.close]
        self._lists: dict[Headers, Any] = {}

    def create(self, topic: str, partitions: int = 1) -> None:
        """Create a topic; do nothing when it exists with as many partitions; raises Refused when with others."""
        self._topics.create(topic, partitions, KEPT)

    def topics(self) -> dict[str, int]:
        """Return topic → number of partitions."""
        return self._topics.refresh()

    def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each partition of the topics that exist."""
        wanted = list(topics)
        counts = self._topics.refresh()
        return self._topics.ends(TopicPartition(t, p) for t in wanted for p in range(counts.get(t, 0)))

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append records outside any group, all of them or none. Raises Refused for a topic that does not exist."""
        if not records:
            return
        partitions = placed(records, self._topics.need({record.topic for record in records}))

        def produce(producer: Producer) -> None:
            put(producer, records, partitions, self._lists)

        with self._lock:
            if self._appender is None:
                self._appender = Transactions(self._cluster, f"figbridge.append.{uuid4().hex}")
                self._closers.append(self._appender.close)
            for attempt in range(_APPEND_ATTEMPTS):
                try:
                    self._appender.run(produce, (), None)
                    return
                except Unsure as unsure:
                    raise Unreachable(
                        f"it is not known whether {len(records)} records were appended: the brokers did not answer",
                        hint="look into the topic before it is tried again",
                        kafka=unsure.error.name(),
                    ) from unsure
                except Aborted as aborted:
                    if attempt + 1 == _APPEND_ATTEMPTS:
                        raise said(aborted.error, "append") from aborted

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to `limit` records from an offset on, without any group; none for a place that does not exist."""
        return self._reader.read(place, offset, limit)

    def state(self, group: str) -> State:
        """Return a read-only view of a group's committed state, without joining the group."""
        return self._view(changelog_of(group))

    def states(self, group: str) -> Mapping[str, State]:
        """Return a view of the state of each share of a group's work."""
        tail = f".{changelog_of(group)}"
        return {t[: -len(tail)]: self._view(t) for t in sorted(self._topics.refresh()) if t.endswith(tail)}

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions (next offset to read), without joining the group."""
        return self._positions.of(group)

    def session(self, group: str, topics: Sequence[str]) -> KafkaSession:
        """Join a group alone, over everything in the topics; a session of the same group elsewhere is fenced."""
        changelog = changelog_of(group)
        self._topics.create(changelog, 1, COMPACTED)
        hold = Hold(Membership(self._cluster, group, topics), self._topics)
        session = KafkaSession(self._cluster, self._topics, hold, changelog, self._cache(changelog))
        self._closers.append(session.close)
        session.open(self._tell)
        return session

    def join(
        self, group: str, sources: Sequence[str], beside: Sequence[str] = (), start: Mapping[str, int] | None = None
    ) -> KafkaMember:
        """Join a group whose source logs are shared out among its members."""
        starts = dict(start or {})
        member = KafkaMember(self._cluster, self._topics, group, sources, beside, starts.get, self._caches, self._tell)
        self._closers.append(member.close)
        return member

    def close(self) -> None:
        """Release what the log holds open: sessions, members and views too."""
        while self._closers:
            self._closers.pop()()

    def _cache(self, changelog: str) -> Path | None:
        return self._caches / f"{changelog}.db" if self._caches is not None else None

    def _view(self, changelog: str) -> State:
        view = View(self._cluster, self._topics, changelog)
        self._closers.append(view.close)
        return view
