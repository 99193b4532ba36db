"""One process in a group that shares source logs out: a session for each source log that is this process's now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Final

from figbridge.adapters.kafka.changelog import changelog_of
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.hold import Hold
from figbridge.adapters.kafka.membership import Membership
from figbridge.adapters.kafka.restoring import Tell
from figbridge.adapters.kafka.session import KafkaSession
from figbridge.adapters.kafka.topics import COMPACTED, Topics
from figbridge.errors import Fenced, OperationalError, Refused, Unreachable
from figbridge.ports import TopicPartition

_LOOK_S: Final = 0.1


class KafkaMember:
    """Hold the source logs that the group gives to this process; the others are held by others.

    A broker that does not answer ends the sessions it concerns, and they are opened again, for `patience_s`.
    """

    def __init__(
        self,
        cluster: Cluster,
        topics: Topics,
        group: str,
        sources: Sequence[str],
        beside: Sequence[str],
        start: Callable[[str], int | None],
        caches: Path | None,
        tell: Tell | None,
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._group = group
        self._beside = tuple(beside)
        self._start = start
        self._caches = caches
        self._tell = tell
        self._sessions: dict[tuple[str, ...], tuple[int, KafkaSession]] = {}
        self._failing_since: float | None = None
        for source in sources:
            self._require_one_partition(source)
        self._membership = Membership(cluster, group, sources)

    def sessions(self, timeout_s: float = 0.0) -> Mapping[tuple[str, ...], KafkaSession]:
        """Return source logs → session for what this process holds now; waits while it holds nothing.

        Opening a session restores its state, and may take long. Raises Refused when a log cannot be gone on with.
        """
        deadline = monotonic() + timeout_s
        while True:
            left = deadline - monotonic()
            self._membership.serve(0.0 if self._sessions else max(0.0, min(left, _LOOK_S)))
            held: dict[tuple[str, ...], int] = {(p.topic,): turn for p, turn in self._membership.held().items()}
            for logs in [logs for logs, (turn, _) in self._sessions.items() if held.get(logs) != turn]:
                self._drop(logs)
            for logs, turn in held.items():
                if logs not in self._sessions:
                    self._open(logs, turn)
            if self._sessions or left <= 0:
                return {logs: session for logs, (_, session) in self._sessions.items()}

    def lost(self, logs: tuple[str, ...], error: OperationalError) -> None:
        """Give a session up that failed; it is opened again if the log is still ours. Raises the error when that
        would not help."""
        self._drop(logs)
        if isinstance(error, Refused):
            raise error
        if isinstance(error, Fenced):
            # Was it another member, or did the brokers end a transaction that took too long? The group knows: without
            # waiting for it, two members would fence each other in turn.
            self._membership.settle()
        else:
            self._patiently(error)

    def worked(self) -> None:
        """Note that a commit went through: the brokers answer."""
        self._failing_since = None

    def close(self) -> None:
        """Leave the group."""
        for logs in list(self._sessions):
            self._drop(logs)
        self._membership.close()

    def _open(self, logs: tuple[str, ...], turn: int) -> None:
        (topic,) = logs
        changelog = changelog_of(self._group, topic)
        place = TopicPartition(topic, 0)
        session: KafkaSession | None = None
        try:
            self._topics.create(changelog, 1, COMPACTED)
            hold = Hold(self._membership, self._topics, only=place, beside=self._beside, start=self._start(topic))
            cache = self._caches / f"{changelog}.db" if self._caches is not None else None
            session = KafkaSession(self._cluster, self._topics, hold, changelog, cache)
            session.open(self._tell)
            session.keep_start()
        except Fenced:
            if session is not None:
                session.close()  # it went to another member while its state was restored
        except Unreachable as error:
            if session is not None:
                session.close()
            self._patiently(error)
        except BaseException:
            if session is not None:
                session.close()
            raise
        else:
            self._sessions[logs] = turn, session

    def _patiently(self, error: OperationalError) -> None:
        now = monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since > self._cluster.patience_s:
            raise error

    def _drop(self, logs: tuple[str, ...]) -> None:
        found = self._sessions.pop(logs, None)
        if found is not None:
            found[1].close()

    def _require_one_partition(self, source: str) -> None:
        partitions = self._topics.need([source]).get(source)
        if partitions != 1:
            what = "does not exist" if partitions is None else f"has {partitions} partitions, not one"
            raise Refused(
                f"source log {source} {what}", hint="docs/adr/0001-one-log-per-source.md", code="KAF006", topic=source
            )
