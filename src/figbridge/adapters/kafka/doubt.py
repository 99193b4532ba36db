"""What a transaction can end as besides committed, and how a late answer gives itself away."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError


class Aborted(Exception):
    """Nothing of the transaction was written; it may be done again. Never leaves this package."""

    def __init__(self, error: KafkaError) -> None:
        super().__init__(error)
        self.error = error


class Unsure(Aborted):
    """The commit was asked for and not answered: the log itself must be asked what became of it."""


class Watch(logging.Handler):
    """Notice the one line by which librdkafka admits that a request was not answered in time."""

    def __init__(self) -> None:
        super().__init__()
        self.timed_out = False

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line of the client."""
        if "REQTMOUT" in record.getMessage():
            self.timed_out = True
