"""Read Kafka's topics as a consumer in any language would: no code of figbridge judges itself here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

RUN = "__debezium.context.runId"


class Topic:
    """Follow one topic of one partition from its beginning, or from its end."""

    def __init__(self, servers: str, name: str, *, committed: bool = True, at_end: bool = False) -> None:
        place = TopicPartition(name, 0, 0)
        self._consumer = Consumer({
            "bootstrap.servers": servers, "group.id": f"judge-{name}", "enable.auto.commit": False,
            "isolation.level": "read_committed" if committed else "read_uncommitted", "auto.offset.reset": "error",
            "log_level": 0,
        })  # fmt: skip
        if at_end:
            place.offset = self._consumer.get_watermark_offsets(place, timeout=30)[1]
        self._consumer.assign([place])

    def more(self) -> Iterator[Message]:
        """Yield what has come since, until nothing comes for a moment."""
        while found := self._consumer.consume(2000, 0.1):
            for message in found:
                assert message.error() is None, message.error()
                yield message

    def close(self) -> None:
        """Leave the topic."""
        self._consumer.close()


@dataclass
class Delivered:
    """What the log holds of one transaction."""

    keys: Counter[str] = field(default_factory=Counter)
    """The keys under which rows came."""
    left: Counter[str] = field(default_factory=Counter)
    """The keys that rows left."""
    runs: list[str] = field(default_factory=list)
    """The connector's runs that sent rows of it, in their order."""
    announced: int | None = None
    """What END counts; None while there is none."""


class SourceLog(Topic):
    """Collect what the source log holds of each transaction, committed records only."""

    def __init__(self, servers: str, name: str) -> None:
        super().__init__(servers, name)
        self._transactions: dict[str, Delivered] = {}

    def of(self, mark: str) -> Delivered | None:
        """Return the transaction that brought keys with a mark, once it has ended."""
        for message in self.more():
            self._take(json.loads(message.value() or b"{}"), message)
        for found in self._transactions.values():
            if found.announced is not None and next(iter(found.keys), "").startswith(f"{mark}-"):
                return found
        return None

    def _take(self, value: dict[str, Any], message: Message) -> None:
        if value.get("op") in ("c", "u", "d"):
            found = self._transactions.setdefault(_stable(value["transaction"]["id"]), Delivered())
            if value["op"] == "d":
                found.left[value["before"]["item_cd"]] += 1
            else:
                found.keys[value["after"]["item_cd"]] += 1
            run = dict(message.headers() or ())[RUN].decode()
            if run not in found.runs:
                found.runs.append(run)
        elif value.get("status") == "END" and (ended := self._transactions.get(_stable(value["id"]))) is not None:
            ended.announced = value["event_count"]


def _stable(identity: str) -> str:
    """Return what all records of a transaction share: PostgreSQL's `txId:lsn` changes with each row."""
    return identity.partition(":")[0]


class Told(Topic):
    """Collect what the domain topic tells of articles."""

    def __init__(self, servers: str, name: str) -> None:
        super().__init__(servers, name)
        self.state: dict[str, dict[str, int]] = {}
        """Subject → what is known of it."""
        self.said: Counter[tuple[str, str]] = Counter()
        """(type, subject) → how often."""
        self.recovered: set[str] = set()
        """Subjects whose state was told because a check had found it."""
        self._subject: dict[int, str] = {}

    def refresh(self) -> None:
        """Take in what has come: an article that moved is known under its new key only."""
        for message in self.more():
            event = json.loads(message.value() or b"{}")
            subject, data = event["subject"], event["data"]
            self.said[event["type"], subject] += 1
            if event["type"] == "Gone":
                self.state.pop(subject, None)
                continue
            before = self._subject.get(data["no"])
            if before is not None:
                self.state.pop(before, None)
            self.state[subject], self._subject[data["no"]] = data, subject
            if "recovered" in event:
                assert event["type"] == "StockKnown", event
                self.recovered.add(subject)
