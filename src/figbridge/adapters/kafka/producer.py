"""A transactional producer that is replaced whenever a late EndTxn could end a later transaction.

librdkafka speaks transactions without KIP-890 part 2: an EndTxn that was sent again may reach the broker after the next
transaction has begun, and end it half done. librdkafka hides the second sending behind a success. What it cannot
hide is the time it took and its log line, so after either, or after any error, the next transaction gets a new
producer: its `init_transactions()` raises the epoch, and a late copy counts for nothing (docs/adr/0018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import Logger
from time import monotonic
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from figbridge.adapters.kafka.bounded import within
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.doubt import Aborted, Unsure, Watch
from figbridge.adapters.kafka.failures import Step, error_of, said, step_after
from figbridge.errors import Fenced
from figbridge.telemetry.metrics import Metric, note

_POLL_S: Final = 0.1

Put = Callable[[Producer], None]


class Transactions:
    """Run transactions under one transactional id. Not thread-safe: one session owns it."""

    def __init__(self, cluster: Cluster, transactional_id: str) -> None:
        self.rotations = 0
        """How often the producer was replaced for doubt, since the beginning."""
        self._cluster = cluster
        self._id = transactional_id
        self._slow_s = cluster.socket_timeout_ms / 1_000
        self._producer: Producer | None = None
        self._watch = Watch()
        self._doubtful = False
        self._started = False

    def start(self) -> None:
        """Fence whoever had the transactional id, and end what they left open. Raises Unreachable or Refused."""
        if self._producer is not None:
            self._retire()
        self._watch = Watch()
        logger = Logger("figbridge.kafka")  # of its own: not shared by name with another producer
        logger.addHandler(self._watch)
        producer = Producer(self._cluster.producer(self._id, logger))
        deadline = monotonic() + self._cluster.patience_s
        while True:
            try:
                producer.init_transactions(max(_POLL_S, deadline - monotonic()))
                break
            except KafkaException as exception:
                error = error_of(exception)
                if not error.retriable() or error.fatal() or monotonic() > deadline:
                    raise said(error, f"begin transactions as {self._id}") from exception
        self._producer, self._doubtful, self._started = producer, False, True

    def run(self, put: Put, offsets: Sequence[TopicPartition], metadata: Any) -> None:
        """Run one transaction: what `put` produces, and the offsets for the group that the metadata names.

        Raises Aborted when nothing was written, Unsure when it must be looked up, Fenced when another producer has
        the transactional id.
        """
        if self._producer is None or self._doubtful:
            self.rotations += self._producer is not None
            if self._started:
                note(Metric.PRODUCER_ROTATIONS, why="given up" if self._producer is None else "in doubt")
            self.start()
        producer = self._producer
        assert producer is not None
        asked = False
        try:
            producer.begin_transaction()
            put(producer)
            if offsets:
                send = producer.send_offsets_to_transaction
                # Nothing is asked for yet, so a producer that hangs in this may be left behind: its successor aborts.
                self._patiently(lambda: within(lambda: send(list(offsets), metadata), self._slow_s))
            asked, began = True, monotonic()
            self._patiently(producer.commit_transaction)
            producer.poll(0)  # the client's log lines come with it
            self._doubtful |= monotonic() - began >= self._slow_s or self._watch.timed_out
        except KafkaException as exception:
            raise self._failed(producer, error_of(exception), asked=asked) from exception
        except BaseException:
            # Not of Kafka: a defect of ours, or Ctrl-C. What is open must not be there for the next transaction.
            self._abort(producer)
            raise

    def close(self) -> None:
        """Let go of the producer; the transactional id stays with it until another one starts."""
        if self._producer is not None:
            self._retire()

    def _failed(self, producer: Producer, error: KafkaError, *, asked: bool) -> Exception:
        """Do what the error asks for, and return what to raise."""
        self._doubtful = True
        match step_after(error):
            case Step.ABORT:
                self._abort(producer)
                return Aborted(error)
            case Step.FENCED:
                self._retire()
                return Fenced(f"another process has taken over {self._id}", kafka=error.name())
            case Step.AGAIN | Step.START_OVER:  # again for as long as there was patience
                self._retire()
                return Unsure(error) if asked else Aborted(error)

    def _abort(self, producer: Producer) -> None:
        """Abort; a producer that cannot is let go, and its successor's start aborts for it."""
        self._doubtful = True
        try:
            self._patiently(producer.abort_transaction)
        except KafkaException:
            self._retire()

    def _patiently(self, call: Callable[[], object]) -> None:
        """Make a call, and the same one again while librdkafka says that it may succeed."""
        deadline = monotonic() + self._cluster.patience_s
        while True:
            try:
                call()
                return
            except KafkaException as exception:
                error = error_of(exception)
                self._doubtful = True
                if step_after(error) is not Step.AGAIN or monotonic() > deadline:
                    raise

    def _retire(self) -> None:
        """Let go of a producer without asking it to abort: it may have failed for good."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()


def put_patiently(producer: Producer, *arguments: Any) -> None:
    """Produce one record although the producer's queue was full: wait for it to drain."""
    while True:
        try:
            producer.produce(*arguments)
            return
        except BufferError:
            producer.poll(_POLL_S)
