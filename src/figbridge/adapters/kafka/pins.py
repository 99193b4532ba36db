"""Hold when a topic is not the one it was: made anew, its offsets mean others; with more partitions, keys move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic

from figbridge.adapters.kafka.topics import Pin, Topics
from figbridge.errors import Refused


class Pins:
    """Remember what the topics in use are, and look again now and then."""

    def __init__(self, topics: Topics, pinned: Mapping[str, Pin], every_s: float) -> None:
        self.pinned = dict(pinned)
        self._topics = topics
        self._every_s = every_s
        self._looked = monotonic()

    def pin(self, sources: Iterable[str]) -> None:
        """Remember the topics that are read by their ids. Raises Refused when one is not as it was."""
        for topic, found in self._topics.pins(sources).items():
            self._require(topic, found)
            self.pinned[topic] = found

    def count(self, outputs: Iterable[str]) -> None:
        """Remember how many partitions the topics have that are written to: it decides where a key is."""
        for topic in set(outputs) - self.pinned.keys():
            self.pinned[topic] = Pin("", self._topics.counts[topic])

    def check(self) -> None:
        """Look again when it is time to. Raises Refused when a topic is not as it was."""
        if monotonic() - self._looked < self._every_s:
            return
        self._looked = monotonic()
        for topic, found in self._topics.pins(self.pinned).items():
            self._require(topic, found)

    def check_now(self) -> None:
        """Look again."""
        self._looked = monotonic() - self._every_s
        self.check()

    def _require(self, topic: str, found: Pin) -> None:
        pinned = self.pinned.get(topic)
        if pinned is None:
            return
        hint = "put it back as it was, or begin with another group: runbooks/topic-changed.md"
        if pinned.partitions != found.partitions:
            was, now = pinned.partitions, found.partitions
            raise Refused(
                f"topic {topic} has {now} partitions and had {was}: keys would move",
                hint=hint,
                code="KAF003",
                topic=topic,
            )
        if pinned.id and pinned.id != found.id:
            raise Refused(
                f"topic {topic} was deleted and made anew: its offsets mean other records",
                hint=hint,
                code="KAF003",
                topic=topic,
            )
