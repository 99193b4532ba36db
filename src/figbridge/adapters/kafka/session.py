"""One session: what it polls, and how a commit of records, positions and state becomes one transaction."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.cache import Cache
from figbridge.adapters.kafka.changelog import Mark, written
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.delivered import Delivered
from figbridge.adapters.kafka.doubt import Aborted, Unsure
from figbridge.adapters.kafka.failures import HOPELESS, OUT_OF_GROUP, said
from figbridge.adapters.kafka.fetch import Fetch
from figbridge.adapters.kafka.hold import Hold
from figbridge.adapters.kafka.pins import Pins
from figbridge.adapters.kafka.producer import Transactions
from figbridge.adapters.kafka.records import placed, put, put_entries
from figbridge.adapters.kafka.restore import Follower
from figbridge.adapters.kafka.restoring import Tell
from figbridge.adapters.kafka.topics import Topics
from figbridge.adapters.partition import require
from figbridge.errors import Fenced, Refused
from figbridge.ports import Commit, Headers, Record, State, TopicPartition

_LOOK_S: Final = 0.25
"""How long one look for records may keep the group waiting."""


class KafkaSession:
    """Hold partitions of a group, and the state in a changelog.

    The changelog's name is also the transactional id. So two things must be true of a commit, and the brokers check
    both: no other session was opened on this state, and the group still gives the partitions to this member.
    """

    def __init__(self, cluster: Cluster, topics: Topics, hold: Hold, changelog: str, cache: Path | None) -> None:
        self._cluster = cluster
        self._topics = topics
        self._hold = hold
        self._changelog = changelog
        self._cache = Cache(cache)
        self._fetch = Fetch(cluster)
        self._transactions = Transactions(cluster, changelog)
        self._follower = Follower(cluster, topics, changelog, self._cache)
        self._writer = uuid4().hex
        self._lists: dict[Headers, Any] = {}
        self._fenced: Fenced | None = None
        self._closers = [self._cache.close, self._follower.close, self._transactions.close, self._fetch.close]
        if hold.alone:
            self._closers.insert(0, hold.membership.close)
        self.state: State = self._cache.state

    def open(self, tell: Tell | None = None) -> None:
        """Fence the session before, and bring the state up to date. Raises Unreachable or Refused, or Fenced when
        the partitions went to another member meanwhile."""
        # In this order: once the transactional id is ours, no older commit can land after the state was read.
        self._transactions.start()
        self._mark = self._follower.catch_up(tell, self._hold.membership.serve)
        self._positions = self._mark.at()
        self._pins = Pins(self._topics, self._mark.pins, self._cluster.refresh_ms / 1_000)

    def keep_start(self) -> None:
        """Commit where partitions begin of which nothing was ever committed: it is said once, and then holds."""
        self._follow(0.0)
        new = self._hold.native({p: at for p, at in self._hold.begun.items() if p not in self._positions})
        if new:
            self.commit(Commit((), new, ()))

    @property
    def rotations(self) -> int:
        """Return how often the producer was replaced because a late answer could have hurt."""
        return self._transactions.rotations

    def poll(self, limit: int, timeout_s: float) -> list[Record]:
        """Return up to `limit` next records, in order within each partition; empty after `timeout_s` without any.
        Raises Fenced when another member has taken over, Refused when the log is not what it was."""
        deadline = monotonic() + timeout_s
        while True:
            self._follow(0.0)
            left = deadline - monotonic()
            look = max(0.0, min(left, _LOOK_S))
            if self._hold.begun:
                try:
                    records = self._fetch.take(limit, look)
                except Refused:
                    self._pins.check_now()  # a topic that was made anew explains more than an offset that is not there
                    raise
            else:
                self._follow(look)
                records = []
            if records or left <= 0:
                return records

    def assigned(self) -> frozenset[TopicPartition]:
        """Return the partitions this session reads now; none when it is fenced."""
        return frozenset(self._hold.begun if self._fenced is None else ())

    def committed(self) -> dict[TopicPartition, int]:
        """Return the committed positions (next offset to read)."""
        return dict(self._positions)

    def rewind(self) -> None:
        """Go back to the committed positions: what was polled and not committed is polled again."""
        self._fetch.start({place: self._positions.get(place, at) for place, at in self._hold.begun.items()})

    def commit(self, commit: Commit) -> dict[TopicPartition, int]:
        """Make the commit durable and return, for each partition written to, the offset after its last record.
        Raises Fenced, Unreachable, or Refused for a place that does not exist, with nothing written."""
        self._follow(0.0)
        counts = self._topics.need({record[0] for record in commit.records} | {p.topic for p in commit.positions})
        partitions = placed(commit.records, counts)
        for place in commit.positions:
            require(place, counts)
        self._pins.count(record[0] for record in commit.records)
        positions = {**self._positions, **commit.positions}
        mark = Mark(
            self._mark.number + 1, self._writer, tuple((*p, at) for p, at in positions.items()), self._pins.pinned
        )
        entries = written(commit.state, mark)
        delivered, marked = Delivered(), Delivered()

        def produce(producer: Producer) -> None:
            nonlocal delivered, marked
            delivered, marked = put(producer, commit.records, partitions, self._lists), Delivered()
            put_entries(producer, self._changelog, entries, marked)

        self._transact(produce, mark, self._hold.native(positions))
        # After the commit: a crash in between leaves a copy that is one commit behind, never one that is ahead.
        reached = marked.ends.get(TopicPartition(self._changelog, 0), 0)
        self._cache.apply(commit.state, max(reached, self._cache.reached.next), mark)
        self._mark, self._positions = mark, positions
        return delivered.ends

    def close(self) -> None:
        """Stop: positions and state stay as they are committed. A session of its own leaves the group."""
        self._fenced = self._fenced or self._hold.fenced()
        while self._closers:
            self._closers.pop()()

    def _follow(self, timeout_s: float) -> None:
        """Serve the group, begin with partitions that are new, and check that the topics are what they were."""
        if self._fenced is not None:
            raise self._fenced
        try:
            new = self._hold.follow(timeout_s)
            if new:
                self._pins.pin({place.topic for place in new})
                self._hold.begin(new, self._positions)
        except Fenced as fenced:
            raise self._out(fenced) from None
        if new:
            self.rewind()
        self._pins.check()

    def _transact(self, produce: Any, mark: Mark, native: dict[TopicPartition, int]) -> None:
        """Run the transaction until it is committed, or it is known that it never will be."""
        deadline = monotonic() + self._cluster.patience_s
        offsets = [Place(*place, offset) for place, offset in native.items()]
        while True:
            try:
                self._transactions.run(produce, offsets, self._hold.membership.proof())
                return
            except Fenced as fenced:
                raise self._out(self._hold.fenced()) from fenced
            except Unsure as unsure:
                error = unsure.error
                if self._landed(mark):
                    return
            except Aborted as aborted:
                error = aborted.error
                if error.code() in HOPELESS:
                    raise said(error, f"commit to {self._changelog}") from aborted
                if error.code() in OUT_OF_GROUP:
                    self._hold.membership.settle()
            if monotonic() > deadline:
                raise said(error, f"commit to {self._changelog}")
            self._follow(0.0)  # whoever is not the holder any more learns it here, and does not try again

    def _landed(self, mark: Mark) -> bool:
        """Say whether a commit that was not answered is durable: the changelog's last mark tells.

        Raises Fenced when it is another's: the group has had time to say so, and starting would fence the rightful one.
        """
        self._hold.membership.settle()
        self._follow(0.0)
        self._transactions.start()
        found = self._follower.catch_up(None, self._hold.membership.serve)
        if found not in (mark, self._mark):
            raise self._out(self._hold.fenced())
        return found == mark

    def _out(self, fenced: Fenced) -> Fenced:
        """Note that it is another's turn: nothing more is read."""
        if self._fenced is None and self._closers:
            self._fetch.start({})
        self._fenced = fenced
        return fenced
