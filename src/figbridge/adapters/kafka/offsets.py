"""Where partitions begin and end."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic, sleep
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, OffsetSpec

from figbridge.adapters.kafka.failures import error_of, passes, said
from figbridge.ports import TopicPartition

_EARLIEST: Final[OffsetSpec] = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: Final[OffsetSpec] = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_SETTLE_S: Final = 2.0
"""How long the end of a log may lie behind an open transaction before that transaction is not waited for."""

_AGAIN_S: Final = 0.02


class Offsets:
    """Ask a cluster for offsets."""

    def __init__(self, admin: AdminClient, timeout_s: float) -> None:
        self._admin = admin
        self._timeout_s = timeout_s

    def ends(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset after the last record that may be read of each partition, transactions' marks included.

        A commit that was answered may become visible a moment later, so what is open is waited for, but not for long.
        """
        wanted = list(places)
        written = self._ends(wanted, IsolationLevel.READ_UNCOMMITTED)
        deadline = monotonic() + _SETTLE_S
        while True:
            stable = self._ends(wanted, IsolationLevel.READ_COMMITTED)
            if all(stable[place] >= written[place] for place in wanted) or monotonic() > deadline:
                return stable
            sleep(_AGAIN_S)

    def starts(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset of the first record that each partition still has."""
        return self._offsets(list(places), _EARLIEST, IsolationLevel.READ_UNCOMMITTED)

    def _ends(self, places: list[TopicPartition], isolation: IsolationLevel) -> dict[TopicPartition, int]:
        return self._offsets(places, _LATEST, isolation)

    def _offsets(
        self, places: list[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[TopicPartition, int]:
        if not places:
            return {}
        asked = {Place(*place): spec for place in places}
        deadline = monotonic() + self._timeout_s
        while True:
            try:
                answers = self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=self._timeout_s)
                return {
                    TopicPartition(p.topic, p.partition): f.result(self._timeout_s).offset for p, f in answers.items()
                }
            except KafkaException as exception:
                error = error_of(exception)
                if not passes(error) or monotonic() > deadline:
                    raise said(error, "ask where topics end") from exception
            sleep(_AGAIN_S)  # a partition is just made, or has just changed its leader
