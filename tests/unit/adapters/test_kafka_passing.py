"""What a broker answers while a partition changes hands is asked again; what it means for good is told at once.

A real broker gives such answers for milliseconds only, so here a future gives them.
"""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import TopicPartition as Place

from figbridge.adapters.kafka.failures import MOVING, passes
from figbridge.adapters.kafka.offsets import Offsets
from figbridge.errors import Refused, Unreachable
from figbridge.ports import TopicPartition

PLACE = TopicPartition("orders", 0)


class Admin:
    """An admin client that gives some errors before it answers."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)

    def list_offsets(self, asked: dict[Place, Any], **_: Any) -> dict[Place, Future[Any]]:
        future: Future[Any] = Future()
        if self.codes:
            future.set_exception(KafkaException(KafkaError(self.codes.pop(0))))
        else:
            future.set_result(SimpleNamespace(offset=7))
        return dict.fromkeys(asked, future)


@pytest.mark.parametrize("code", sorted(MOVING), ids=lambda code: KafkaError(code).name())
def test_what_passes_is_asked_again(code: int) -> None:
    """A leader that moves, a coordinator that loads, an epoch that one side has not heard of yet."""
    assert Offsets(Admin(code, code), 30.0).starts([PLACE]) == {PLACE: 7}  # type: ignore[arg-type]


def test_what_does_not_pass_is_told_at_once() -> None:
    """Rights do not come by asking again."""
    admin = Admin(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(Refused, match="KAF005"):
        Offsets(admin, 30.0).starts([PLACE])  # type: ignore[arg-type]
    assert not admin.codes


def test_asking_again_has_an_end() -> None:
    """Then the brokers count as away, with what they said last."""
    admin = Admin(*[KafkaError.LEADER_NOT_AVAILABLE] * 1_000)
    with pytest.raises(Unreachable, match="LEADER_NOT_AVAILABLE"):
        Offsets(admin, 0.1).starts([PLACE])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (KafkaError._TRANSPORT, True),
        (KafkaError._ALL_BROKERS_DOWN, True),
        (KafkaError.UNKNOWN_LEADER_EPOCH, True),
        (KafkaError.OFFSET_OUT_OF_RANGE, False),
        (KafkaError.FENCED_INSTANCE_ID, False),
        (KafkaError._AUTHENTICATION, False),
    ],
)
def test_which_reports_pass(code: int, *, expected: bool) -> None:
    """Brokers that are away come back; an offset that is gone, a member that was replaced, an account do not."""
    assert passes(KafkaError(code)) is expected
