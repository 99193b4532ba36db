"""The seams of figbridge: a log, a state, an authority store. Protocols and the values they exchange, nothing else.

Three adapters of log and state exist (Kafka, SQLite, memory) and pass one contract suite, tests/contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

from figbridge.domain.authority import Authority, Cut, Grant
from figbridge.domain.connector import Live, LiveTable, LiveTopic, Plugin, Slot, Topic
from figbridge.domain.preflight import Facts, Patient
from figbridge.errors import OperationalError

Headers = tuple[tuple[str, bytes | None], ...]

CONTENT_TYPE: Headers = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
"""The headers of an event that leaves: CloudEvents in structured mode, as JSON."""

EARLIEST: Final = -1
"""Start at the first record that a log still has."""


class Record(NamedTuple):
    """One record of a log, as it is read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    """Milliseconds since 1970."""


class Outgoing(NamedTuple):
    """One record to append. Without a partition, the key chooses it (CRC-32, as librdkafka's default does)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0
    """Milliseconds since 1970; 0 is the time of appending."""
    partition: int | None = None


class TopicPartition(NamedTuple):
    """Name one partition of one topic."""

    topic: str
    partition: int


class Entry(NamedTuple):
    """One entry of the state: in a space, a group holds members. A value of None removes the entry."""

    space: str
    group: str
    member: str
    value: bytes | None


class Commit(NamedTuple):
    """What becomes durable together, or not at all."""

    records: Sequence[Outgoing]
    positions: Mapping[TopicPartition, int]
    """The next offset to read, per partition."""
    state: Sequence[Entry]


class State(Protocol):
    """What a consumer group remembers: relations, lookups, last-known rows, parked keys. Written only by commits."""

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Return group → member → value for the groups that exist."""

    def scan(self, space: str) -> Iterable[tuple[str, str, bytes]]:
        """Yield (group, member, value) of a whole space, in order of group and member."""

    def count(self, space: str) -> int:
        """Return the number of entries of a space."""


class Session(Protocol):
    """One member of a consumer group: reads, and commits records, positions and state in one atom."""

    state: State

    def poll(self, limit: int, timeout_s: float) -> list[Record]:
        """Return up to `limit` next records of the partitions this member holds, in order within each
        partition; empty after `timeout_s` without any. Raises Fenced when another member has taken over."""

    def assigned(self) -> frozenset[TopicPartition]:
        """Return the partitions this member holds now."""

    def committed(self) -> dict[TopicPartition, int]:
        """Return the group's committed positions (next offset to read)."""

    def rewind(self) -> None:
        """Go back to the committed positions: what was polled and not committed is polled again."""

    def commit(self, commit: Commit) -> dict[TopicPartition, int]:
        """Make the commit durable and return, for each partition written to, the offset after its last record.
        Raises Fenced, with nothing written, when another member has taken over."""

    def close(self) -> None:
        """Leave the group."""


class Member(Protocol):
    """One process in a consumer group whose source logs are shared out: each is held by one process at a time.

    A session is one share of the work, with a state of its own. What a process holds changes while it runs; a session
    that is given again is another session, and what was not committed in the one before is void.
    """

    def sessions(self, timeout_s: float = 0.0) -> Mapping[tuple[str, ...], Session]:
        """Return source logs → session for each share that this process holds now; waits up to `timeout_s` while it
        holds none. Raises Fenced when this process is out for good."""

    def lost(self, logs: tuple[str, ...], error: OperationalError) -> None:
        """Give a session up that raised an error. Raises it when opening another would not help."""

    def worked(self) -> None:
        """Note that a commit went through."""

    def close(self) -> None:
        """Leave the group."""


class Log(Protocol):
    """Topics of partitions of records, and consumer groups over them."""

    def create(self, topic: str, partitions: int = 1) -> None:
        """Create a topic; do nothing when it exists with as many partitions; raises Refused when with others."""

    def topics(self) -> dict[str, int]:
        """Return topic → number of partitions."""

    def ends(self, topics: Iterable[str]) -> dict[TopicPartition, int]:
        """Return the offset after the last record of each partition of the topics that exist."""

    def append(self, records: Sequence[Outgoing]) -> None:
        """Append records outside any group, all of them or none. Raises Refused for a topic that does not exist."""

    def read(self, place: TopicPartition, offset: int, limit: int) -> list[Record]:
        """Return up to `limit` records from an offset on, without any group."""

    def state(self, group: str) -> State:
        """Return a read-only view of a group's committed state, without joining the group."""

    def states(self, group: str) -> Mapping[str, State]:
        """Return a view of the state of each share of a group's work, by a name; together they are all of it."""

    def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a group's committed positions (next offset to read), without joining the group."""

    def session(self, group: str, topics: Sequence[str]) -> Session:
        """Join a consumer group alone. A group without committed positions starts at the beginning."""

    def join(
        self, group: str, sources: Sequence[str], beside: Sequence[str] = (), start: Mapping[str, int] | None = None
    ) -> Member:
        """Join a consumer group whose source logs are shared out. Topics `beside` are read by each session, each from
        a position of its own. `start` is source log → offset (or EARLIEST) for logs that the group has never read;
        a log on brokers raises Refused for one that is not in it, an embedded one starts at the beginning."""

    def close(self) -> None:
        """Release what the log holds open."""


class Stream(Protocol):
    """A connector that appends what a database says to its source log, until it is stopped or fails."""

    @property
    def failure(self) -> Exception | None:
        """Return why it ended by itself; None while it runs."""

    @property
    def resent(self) -> int:
        """Return how many records came again that the log already had."""

    def start(self) -> None:
        """Start streaming; returns at once."""

    def wait_streaming(self, timeout_s: float) -> None:
        """Wait until the database's log is being read. Raises Unreachable."""

    def stop(self, timeout_s: float = 30.0) -> None:
        """Stop at an edge."""


class AuthorityStore(Protocol):
    """The append-only, hash-chained log of grants and the table derived from it."""

    def load(self) -> Authority:
        """Return the current authority with its version. Raises Unreachable: hold, never guess."""

    def shared(self) -> AbstractContextManager[int]:
        """Hold the head row shared and give its version: no grant becomes durable while a batch commits."""

    def grant(self, draft: Grant, cuts: CutReader) -> Grant:
        """Append a grant under the exclusive lock: lock, then read the cuts, then write. Returns it as chained."""

    def history(self) -> Sequence[Grant]:
        """Return every grant, oldest first, as stored (not verified)."""


class CutReader(Protocol):
    """Read where the new epoch begins; called while the exclusive lock is held."""

    def __call__(self) -> tuple[Cut, ...]:
        """Return one cut for each partition of each source log that may speak about the cell."""


class FieldFault(NamedTuple):
    """What Kafka Connect finds wrong with one setting of a connector."""

    setting: str
    message: str


class Connect(Protocol):
    """A Kafka Connect cluster. Every call raises Unreachable, Refused, or OperationalError for a failure inside it."""

    def connectors(self) -> dict[str, Live]:
        """Return every connector by its name, without secrets."""

    def plugins(self) -> tuple[Plugin, ...]:
        """Return the connector classes that the workers have."""

    def validate(self, config: Mapping[str, str]) -> tuple[frozenset[str], tuple[FieldFault, ...]]:
        """Return the settings that Connect knows for this configuration, and what it finds wrong."""

    def create(self, name: str, config: Mapping[str, str]) -> None:
        """Create a connector that does not run yet."""

    def configure(self, name: str, config: Mapping[str, str]) -> None:
        """Replace the configuration of a connector; its task starts again with it."""

    def pause(self, name: str) -> None:
        """Ask a connector to pause."""

    def resume(self, name: str) -> None:
        """Ask a paused or stopped connector to go on."""

    def stop(self, name: str) -> None:
        """Ask a connector to stop."""

    def restart(self, name: str, *, only_failed: bool) -> None:
        """Ask a connector to start again, with its tasks."""

    def delete(self, name: str) -> None:
        """Delete a connector. Its offsets stay."""

    def offsets(self, name: str) -> Mapping[str, Any] | None:
        """Return where a connector goes on, as Debezium wrote it; None when it has not begun."""

    def set_offsets(self, name: str, partition: Mapping[str, Any], offset: Mapping[str, Any]) -> None:
        """Set where a stopped connector goes on. Nothing is checked there: check before."""

    def forget_offsets(self, name: str) -> None:
        """Make a stopped connector forget where it was."""

    def topics(self, name: str) -> tuple[str, ...]:
        """Return the topics that a connector has written to."""


class Seen(NamedTuple):
    """What came of a table through a source log: where to look on from, rows of an incremental snapshot, changes."""

    offset: int
    rows: int
    changes: int


class Broker(Protocol):
    """The topics around a connector. Every call raises Unreachable or Refused."""

    def look(self, names: Iterable[str]) -> dict[str, LiveTopic]:
        """Return the topics that exist, by name."""

    def create(self, topic: Topic) -> None:
        """Create a topic."""

    def alter(self, topic: str, settings: Mapping[str, str]) -> None:
        """Set these settings of a topic, and leave the others."""

    def end(self, topic: str) -> int:
        """Return the offset after the last committed record of a topic's partition 0; 0 without the topic."""

    def send(self, topic: str, key: str, value: bytes) -> None:
        """Append one record to partition 0 of a topic and wait until it is durable."""

    def read(self, topic: str, offset: int) -> tuple[int, tuple[bytes, ...]]:
        """Return the values in partition 0 of a topic from an offset to its end, and the offset to read on from."""

    def snapshot_rows(self, topic: str, offset: int, table: str) -> Seen:
        """Count what a source log says of a table from an offset to its end."""


class LegacyDatabase(Protocol):
    """A source's database, read only. Every call raises Unreachable or Refused."""

    def tables(self, names: Iterable[str]) -> dict[str, LiveTable]:
        """Return the tables that exist, by name."""

    def slot(self, name: str) -> Slot | None:
        """Return a replication slot; None without one, and always on a database that has none."""

    def position(self) -> str:
        """Return where the database's log ends: an LSN, or a set of GTIDs."""

    def drop_slot(self, name: str) -> None:
        """Drop a replication slot. The one call that writes."""


class RowReader(Protocol):
    """Read rows of a source's database as Debezium would write them. Raises Unreachable, or Refused with HOL004 for a
    column of a type whose form in Debezium is not known here."""

    def commit_time(self, tx: str) -> int | None:
        """Return when a transaction was committed, microseconds since 1970; None when the database does not know."""

    def now(self) -> int:
        """Return the database's clock, microseconds since 1970."""

    def committed_at(self, table: str, columns: Sequence[str], at_us: int) -> Iterator[dict[str, Any]]:
        """Yield the rows whose newest version was committed at a time."""

    def every(self, table: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield all rows of a table."""

    def by_key(
        self, table: str, columns: Sequence[str], key: Sequence[str], keys: Sequence[Sequence[Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows with these keys, of those that exist."""

    def estimate(self, table: str) -> int | None:
        """Return about how many rows a table has; None when nobody has counted."""

    def mark(self) -> Passed:
        """Return a function that says whether the source log has everything that was committed before now."""


class Passed(Protocol):
    """Look at one record after the other of a source log, until it is known to hold what was committed before."""

    @property
    def looks_back(self) -> bool:
        """Say whether what proves it may stand further back in the log than what was looked at."""

    def __call__(self, record: Record) -> bool:
        """Return true at the first record behind which everything is there."""


class Preflight(Protocol):
    """A source's database, examined in a session that cannot write."""

    def facts(self, patient: Patient) -> Facts:
        """Answer every question about a source; a question that fails is told in the answer, with its reason."""

    def values(self, table: str, column: str, limit: int) -> tuple[tuple[str | None, int], ...]:
        """Return the distinct values of a column as text with their counts, the most frequent first; reads the whole
        table. Raises Unreachable or Refused."""

    def extremes(self, table: str, column: str) -> tuple[str | None, str | None]:
        """Return the lowest and the highest value of a column as text; may read the whole table. Raises Unreachable
        or Refused."""
