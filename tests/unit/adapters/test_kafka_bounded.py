"""A call of the client that never returns does not hold the bridge for ever."""

from __future__ import annotations

from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from figbridge.adapters.kafka.bounded import within
from figbridge.adapters.kafka.failures import Step, step_after


def test_a_call_that_does_not_return_is_given_up_and_its_producer_replaced() -> None:
    """The error says start over: neither the same call again nor an abort may be tried on what hangs."""
    never = Event()
    with pytest.raises(KafkaException) as raised:
        within(never.wait, 0.05)
    never.set()
    assert step_after(raised.value.args[0]) is Step.START_OVER


def test_what_a_call_raises_comes_out_as_it_is() -> None:
    """Errors keep what they say about aborting and trying again."""
    error = KafkaException(KafkaError(KafkaError._FENCED, "fenced", True))

    def call() -> None:
        raise error

    with pytest.raises(KafkaException) as raised:
        within(call, 10.0)
    assert raised.value is error


def test_a_call_that_returns_is_waited_for() -> None:
    """Nothing goes on before the call is done."""
    done: list[int] = []
    within(lambda: done.append(1), 10.0)
    assert done == [1]
