"""What the topics hold, as the consumer in its own process wrote it down; json alone, no code of figbridge."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from faults.evidence import Said


class Mark(NamedTuple):
    """What a commit of the bridge says of itself in its changelog."""

    number: int
    writer: str
    positions: dict[str, int]
    seen: float
    """When the consumer saw it, in seconds since 1970."""


class Topics:
    """Read the consumer's file as it grows, and answer what a test asks."""

    def __init__(self, file: Path, prefix: str) -> None:
        self._file = file
        self._prefix = prefix
        self._offset = 0
        self._said: dict[str, list[Said]] = defaultdict(list)
        self._source_offsets: dict[str, list[int]] = defaultdict(list)
        self._entries: dict[str, dict[tuple[str, str, str], bytes]] = defaultdict(dict)
        self._marks: dict[str, list[Mark]] = defaultdict(list)
        self._last: dict[tuple[str, int], int] = {}
        self.names: set[tuple[str, str]] = set()
        """(type, subject) of every event on the domain topics."""
        self.names_in_order: list[tuple[str, str]] = []
        """The same, as they were seen."""

    def refresh(self) -> None:
        """Take in what was written since the last look."""
        if not self._file.exists():
            return
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            text = stream.read()
        text = text[: text.rfind(b"\n") + 1]
        self._offset += len(text)
        for line in text.splitlines():
            self._take(*json.loads(line))

    def _take(self, topic: str, partition: int, offset: int, key: str | None, value: str | None, seen: float) -> None:
        assert offset > self._last.get((topic, partition), -1), f"{topic}/{partition} went back to {offset}"
        self._last[topic, partition] = offset
        name = topic.removeprefix(f"{self._prefix}.")
        if name.endswith(".log") or name == "control":
            self._source_offsets[topic].append(offset)
        elif name.endswith(".state"):
            self._take_state(topic, key, value, seen)
        elif name.split(".")[0] in ("domain", "shadow", "quarantine", "dead-letters"):
            said = Said(f"figbridge.{name}", partition, offset, key or "", json.loads(value or "null"))
            self._said[name].append(said)
            if name.startswith("domain."):
                self.names.add((said.type, said.subject))
                self.names_in_order.append((said.type, said.subject))

    def _take_state(self, topic: str, key: str | None, value: str | None, seen: float) -> None:
        if key == "mark":
            found = json.loads(value or "{}")
            positions = {t: at for t, _, at in found["positions"]}
            self._marks[topic].append(Mark(found["number"], found["writer"], positions, seen))
            return
        name = tuple(json.loads(key or "[]"))
        if value is None:
            self._entries[topic].pop(name, None)
        else:
            self._entries[topic][name] = value.encode("utf-8", "surrogateescape")

    # --- as faults.evidence.Evidence answers -----------------------------------------------------

    def said(self, first: str) -> list[Said]:
        """Return the records of topics whose names begin so, each partition in its order."""
        found = [s for name, said in self._said.items() if name.startswith(first) for s in said]
        return sorted(found, key=lambda s: (s.topic, s.partition, s.offset))

    def domain(self) -> list[Said]:
        """Return the domain topics."""
        return self.said("domain.")

    def end(self, first: str) -> int:
        """Return how many records there are on topics whose names begin so; of the verifier's own names, too."""
        first = first.removeprefix("figbridge.")
        return sum(len(said) for name, said in self._said.items() if name.startswith(first))

    def state(self, space: str) -> list[tuple[str, str, bytes]]:
        """Return (group, member, value) of what the bridge remembers in a space; numbers of the account added up."""
        found: dict[tuple[str, str], bytes] = {}
        for entries in self._entries.values():
            for (where, group, member), value in entries.items():
                if where == space:
                    known = found.get((group, member))
                    assert known is None or space == "account", f"{space} {group} {member} is in two changelogs"
                    found[group, member] = value if known is None else b"%d" % (int(known) + int(value))
        return [(group, member, value) for (group, member), value in sorted(found.items())]

    def positions(self) -> dict[str, int]:
        """Return how many records lie before the committed positions, of each share of the work."""
        return {
            f"{changelog} {topic}": bisect_right(self._source_offsets[topic], at - 1)
            for changelog, marks in self._marks.items()
            if marks
            for topic, at in marks[-1].positions.items()
            if topic in self._source_offsets
        }

    # --- of brokers only -------------------------------------------------------------------------

    @property
    def commits(self) -> int:
        """How many commits were seen."""
        return sum(len(marks) for marks in self._marks.values())

    def marks(self, source: str) -> list[Mark]:
        """Return the commits over a source's log, in their order."""
        return [
            m for topic, marks in self._marks.items() if topic.startswith(f"{self._prefix}.{source}.") for m in marks
        ]

    def takeover(self, since: float) -> float | None:
        """Return how long after a moment another writer's first commit over the monolith's log was seen; None when
        the writer stayed the same, or none has committed since."""
        marks = self.marks("legacy")
        before = [m for m in marks if m.seen < since]
        after = [m for m in marks if m.seen >= since]
        if not before or not after:
            return None
        other = [m for m in after if m.writer != before[-1].writer]
        return other[0].seen - since if other else None

    def commits_have_no_gap(self) -> int:
        """Check that commits of each changelog count on by one, and positions never go back. Returns how many."""
        for topic, marks in self._marks.items():
            for one, next_ in pairwise(marks):
                assert next_.number == one.number + 1, f"{topic}: {one} is followed by {next_}"
                for place, at in one.positions.items():
                    assert next_.positions[place] >= at, f"{topic}: {one} is followed by {next_}"
        return self.commits

    def no_transaction_is_torn(self, late: set[str]) -> int:
        """Check that what one source transaction became was committed as one. Returns how many commits said something.

        Each commit leaves a mark in every partition it wrote to, which takes an offset: records with consecutive
        offsets are of one commit, others are not. And the changelog says up to which position each commit went.
        """
        ends = [m.positions.get(f"{self._prefix}.legacy.log", 0) for m in self.marks("legacy")]
        runs: dict[tuple[str, int, int], int] = {}
        number, last = 0, None
        for said in self.domain():
            place = said.topic, said.partition, said.offset
            if last is None or place != (*last[:2], last[2] + 1):
                number += 1
            last = place
            if said.subject in late or said.source != "legacy":
                continue
            commit = bisect_right(ends, said.at[1])
            assert commit < len(ends), f"{said} lies behind the committed position"
            known = runs.setdefault((said.topic, said.partition, commit), number)
            assert known == number, f"{said}: its commit wrote twice to the partition"
        return len({commit for _, _, commit in runs})
