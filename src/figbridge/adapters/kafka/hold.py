"""What a session holds: partitions of its group, for one turn each, and topics that are read beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from figbridge.adapters.kafka.membership import Membership
from figbridge.adapters.kafka.topics import Topics
from figbridge.errors import Fenced, Refused
from figbridge.ports import EARLIEST, TopicPartition


class Hold:
    """Know which partitions a session reads, and from where.

    `only` is the one partition of the group that the session is about; None for all that the member holds. Topics
    `beside` are read by every session of the group, each with positions of its own, which are in its state alone.
    `start` is where a partition begins that has no position: an offset, EARLIEST, or None to refuse.
    """

    def __init__(
        self,
        membership: Membership,
        topics: Topics,
        *,
        only: TopicPartition | None = None,
        beside: Sequence[str] = (),
        start: int | None = EARLIEST,
    ) -> None:
        self.membership = membership
        self.begun: dict[TopicPartition, int] = {}
        """Where each partition begins as long as nothing of it is committed."""
        self.alone = only is None
        self._topics = topics
        self._only = only
        self._beside = tuple(beside)
        self._start = start
        self._turns: dict[TopicPartition, int] = {}

    def follow(self, timeout_s: float = 0.0) -> list[TopicPartition]:
        """Serve the group and return the partitions that are new. Raises Fenced when one is ours no longer."""
        self.membership.serve(timeout_s)
        held = self.membership.held()
        if self._only is not None:
            held = {p: turn for p, turn in held.items() if p == self._only}
        if any(held.get(place) != turn for place, turn in self._turns.items()):
            raise self.fenced()
        return [place for place in held if place not in self._turns]

    def begin(self, places: Sequence[TopicPartition], kept: Mapping[TopicPartition, int]) -> None:
        """Find where new partitions begin; `kept` are the positions that the state says.

        Raises Refused when the group stands elsewhere than its state, or nowhere and nobody said where to start;
        Fenced when one was given to another member while the brokers were asked.
        """
        stands = self.membership.committed(places)
        for place in places:
            self._agree(place, stands.get(place), kept.get(place))
        first = self._topics.starts([*places, *self._places_beside()])
        held = self.membership.held()
        if not held.keys() >= set(places):
            raise self.fenced()
        for place in places:
            self.begun[place] = self._first(place, first[place], known=place in kept)
            self._turns[place] = held[place]
        for place in self._places_beside():
            self.begun.setdefault(place, first[place])

    def native(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return the positions that are the group's own: a commit of them proves that we are its member."""
        return {p: at for p, at in positions.items() if p.topic not in self._beside}

    def fenced(self) -> Fenced:
        """Return the error that says that it is another's turn."""
        group = self.membership.group
        return Fenced(
            f"another member has taken over group {group}",
            hint="what this one did not commit is void",
            group=group,
        )

    def _places_beside(self) -> list[TopicPartition]:
        counts = self._topics.need(self._beside)
        return [TopicPartition(t, p) for t in self._beside for p in range(counts.get(t, 0))]

    def _agree(self, place: TopicPartition, stands: int | None, kept: int | None) -> None:
        # No position but a state: the brokers forget the positions of a group that was away for a week. The state
        # was written with them, so it knows.
        if stands is None or stands == kept:
            return
        where = f"{place.topic}/{place.partition}"
        said = "nothing" if kept is None else f"offset {kept}"
        raise Refused(
            f"group {self.membership.group} stands at offset {stands} of {where}, and its state says {said}",
            hint="one of them was changed by hand: runbooks/state-and-position-differ.md",
            code="KAF002",
            topic=place.topic,
        )

    def _first(self, place: TopicPartition, first: int, *, known: bool) -> int:
        if known or self._start == EARLIEST:
            return first
        where = f"{place.topic}/{place.partition}"
        if self._start is None:
            raise Refused(
                f"group {self.membership.group} has never read {where}",
                hint="say once where it starts: figbridge run --from earliest, or --from OFFSET",
                code="KAF001",
                topic=place.topic,
            )
        end = self._topics.ends([place])[place]
        if not first <= self._start <= end:
            raise Refused(
                f"{where} has no offset {self._start}: it holds {first} to {end}",
                hint="--from earliest, or an offset that it holds",
                code="KAF001",
                topic=place.topic,
            )
        return self._start
