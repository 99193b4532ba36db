"""Give up on a call of librdkafka that may never return.

send_offsets_to_transaction waits for ever, whatever timeout it is given, when the broker with the group's coordinator
goes down at the wrong moment (librdkafka issues 5456 and 5511; seen with 2.16 under kill -9 of a broker). The process
then neither works nor hears SIGTERM (docs/adr/0031).
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from confluent_kafka import KafkaError, KafkaException


def within(call: Callable[[], object], seconds: float) -> None:
    """Make a call in a thread of its own, and raise what it raises; KafkaException, not retriable, when it has not
    returned in time. The thread is left behind then: whatever it uses must not be used again."""
    failed: list[BaseException] = []

    def make() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001 — it is raised again where the call was asked for
            failed.append(error)

    thread = Thread(target=make, name="figbridge-bounded", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no answer within {seconds:.0f} s"))
    if failed:
        raise failed[0]
