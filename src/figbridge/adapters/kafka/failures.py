"""What librdkafka reports, in figbridge's words, and what a transaction does about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from figbridge.errors import Fenced, OperationalError, Refused, Unreachable


class Step(Enum):
    """Say what to do after a transactional call has failed."""

    FENCED = "fenced"
    """Another producer has the transactional id: stop."""
    START_OVER = "start over"
    """Drop the producer, never abort with it; a new one finds out what became of the transaction."""
    ABORT = "abort"
    """Abort, and do it again from the beginning."""
    AGAIN = "again"
    """The same call with the same arguments."""


_FENCED: Final = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH})

OUT_OF_GROUP: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError._ASSIGNMENT_LOST,
    }
)
"""The group does not take this member's positions now: it is another's turn, or the turns are being dealt out."""


def step_after(error: KafkaError) -> Step:
    """Return what to do after an error of a transactional call, in the order that rdkafka.h prescribes.

    A producer that has once failed for good cannot abort: librdkafka says so as `_CONFLICT` and does not flag it.
    """
    if error.txn_requires_abort():
        return Step.ABORT
    if error.retriable():
        return Step.AGAIN
    if error.code() in _FENCED:
        return Step.FENCED
    return Step.START_OVER


_DENIED: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError._AUTHENTICATION,
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)

MOVING: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,  # of a topic made this moment; one that is gone is found by its pin
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LISTENER_NOT_FOUND,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
    }
)
"""What a broker answers while a partition, a topic or a group is being made or changes hands: true no more a moment
later. Those of Kafka's `RetriableException`s that reads and questions meet; only transactional calls flag them."""

_AWAY: Final = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._WAIT_COORD,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
    }
)
"""What librdkafka itself says of brokers that it cannot reach, or has not yet asked."""


def passes(error: KafkaError) -> bool:
    """Return whether what a client reports may mend itself: a consumer goes on, who asks asks again."""
    return error.retriable() or error.code() in MOVING or error.code() in _AWAY


HOPELESS: Final = frozenset(
    {
        *_DENIED,
        KafkaError._SSL,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.POLICY_VIOLATION,
    }
)
"""No other attempt will end otherwise."""


def error_of(exception: KafkaException) -> KafkaError:
    """Return the error inside a client's exception."""
    found = exception.args[0] if exception.args else None
    return found if isinstance(found, KafkaError) else KafkaError(KafkaError._FAIL, str(exception))


def refused(sentence: str, code: str, hint: str = "", **facts: object) -> Refused:
    """Return the error for an account that is not let in (KAF005), or a connection that is not safe (KAF007)."""
    where = "figbridge config show, then mend kafka.security: docs/settings.md"
    return Refused(sentence, hint=hint or where, code=code, **facts)


def said(error: KafkaError, doing: str) -> OperationalError:
    """Return the typed error for what could not be done. It never holds a setting's value."""
    facts = {"kafka": error.name()}
    if error.code() in _DENIED:
        hint = "check kafka.security in the settings and the account's rights: docs/settings.md"
        return refused(f"{doing}: Kafka refuses this account ({error.name()})", "KAF005", hint, **facts)
    if error.code() == KafkaError._SSL:
        hint = "figbridge status says what is wrong with the certificate"
        return refused(f"{doing}: Kafka cannot be reached safely any more ({error.name()})", "KAF007", hint, **facts)
    if error.code() in OUT_OF_GROUP or error.code() in _FENCED:
        return Fenced(f"{doing}: another process has taken over ({error.name()})", **facts)
    if error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET, KafkaError._NO_OFFSET):
        return Refused(
            f"{doing}: the log does not hold the next record any more",
            hint="retention was too short, or the topic was made anew: runbooks/log-lost-records.md",
            code="KAF004",
            **facts,
        )
    return Unreachable(f"{doing}: {error.str()} ({error.name()})", hint="check kafka.servers and the brokers", **facts)


@contextmanager
def told_as(doing: str) -> Iterator[None]:
    """Raise what Kafka reports inside as figbridge's errors, with the words for what was being done."""
    try:
        yield
    except KafkaException as exception:
        raise said(error_of(exception), doing) from exception
