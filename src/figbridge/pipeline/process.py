"""The life of one row change, in seven steps: decode, collect, resolve, translate, decide, perform, commit.

`take` does the first four for a batch of records, `decide` the next two, and `commit` gives what becomes durable
together. Between `decide` and the commit the authority may move: then `decide` is called again (worker.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from figbridge.domain.authority import Authority
from figbridge.domain.change import RowChange
from figbridge.domain.verdict import decide
from figbridge.mapping.compiler import Plan
from figbridge.pipeline.account import Account
from figbridge.pipeline.bench import Bench
from figbridge.pipeline.carriers import carriers
from figbridge.pipeline.collect import Collector, Counted, Transaction, end_entries, known_ends, suspects
from figbridge.pipeline.control import Control
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.letters import LetterWriter
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.perform import Performed, Performer, Said
from figbridge.pipeline.translate import Translated, Translator
from figbridge.ports import Commit, Entry, Record, State, TopicPartition


class Process:
    """Process the source logs of one consumer group. `sources` maps each source log's topic to its source."""

    def __init__(self, plan: Plan, state: State, sources: Mapping[str, str], edge: Edge) -> None:
        self.edge = edge
        self.account = Account.of(state)
        self.memory = RowMemory(plan, state)
        self.parking = ParkingLot(plan, state)
        self.performer = Performer(edge.encode, edge.topics, edge.source_epochs, edge.source_of)
        self.translators = {t: Translator(plan, self.memory, self.parking, s) for t, s in sources.items()}
        known = state.read("source", sources.values())
        self.epochs = {s: edge.source_epochs.get(edge.source_of(s), 1) for s in sources.values()}
        ends = {s: known_ends(known.get(s, {}), epoch) for s, epoch in self.epochs.items()}
        self.collectors = {t: Collector(edge.previous_end, ends=ends[s]) for t, s in sources.items()}
        bench = Bench(plan, edge, state, self.memory, self.translators, self.collectors)
        self.control = Control(self.parking, carriers(bench))
        self.letters = LetterWriter(edge.vault, edge.history, edge.about, plan.versions, plan.safe_columns())
        self.decoders = {t: edge.decoder(t) for t in sources}
        self.sources = sources
        self.pending: list[tuple[Transaction | None, Translated]] = []
        self.counted: Counter[str] = Counter()
        """What the records of the newest batch were counted as."""
        self._control_read: dict[TopicPartition, int] = {}

    def take(self, records: Iterable[Record]) -> None:
        """Take records in: what is whole by them is translated and waits for its verdicts."""
        for record in records:
            collector = self.collectors.get(record.topic)
            if collector is None:
                self.pending += ((None, t) for t in self.control.take(record))
                self._control_read[TopicPartition(record.topic, record.partition)] = record.offset + 1
                continue
            decoded = self.decoders[record.topic](record)  # 1
            if type(decoded) is RowChange and collector.joins(decoded, record.offset):
                continue
            for transaction in collector.feed(decoded, record):  # 2
                self._translate(transaction, record.topic)

    def finish(self) -> None:
        """Take what is left when no more records will come."""
        for topic, collector in self.collectors.items():
            for transaction in collector.finish():
                self._translate(transaction, topic)

    def _translate(self, transaction: Transaction, topic: str) -> None:
        translated = self.translators[topic].translate(transaction)  # 3, 4
        self.pending.append((transaction, translated))

    def decide(self, authority: Authority) -> list[Performed]:
        """Judge and carry out every pending claim; pure, so it may be called again when the authority has moved."""
        performed: list[Performed] = []
        for _, said in self.pending:
            if said.claims:
                position = said.origin.position
                decisions = [decide(claim, position, authority) for claim in said.claims]  # 5
                performed += self.performer.perform(Said(said.origin, said.claims, said.before), decisions)  # 6
        return performed

    def commit(self, performed: Sequence[Performed]) -> Commit:
        """Return what becomes durable together: records, positions at transactions' edges, and state."""
        before = self.account.records.copy()
        records = [p.record for p in performed if p.record is not None]
        entries: list[Entry] = []
        for transaction, said in self.pending:
            self.account.take(transaction, said.rows)
            if said.raised:
                self.account.records[Counted.DEAD] -= said.raised
            records += (self.performer.dead(self.letters.write(d, said.origin, transaction)) for d in said.dead)
            entries += suspects(transaction, said.origin.source)
        for collector in self.collectors.values():
            self.account.loose(*collector.loose())
            self.account.records["read"] += collector.read()
        decisions = self.control.read()
        self.account.read(Counted.MARKER, decisions)
        self.account.records["read"] += decisions
        for done in performed:
            self.account.claims[done.decision.verdict] += 1
        self.account.claims["made"] += sum(len(t.claims) for _, t in self.pending)
        self.counted = self.account.records - before
        for topic, collector in self.collectors.items():
            source = self.sources[topic]
            entries += end_entries(collector, source, self.epochs[source])
        entries += (*self.memory.entries(), *self.parking.entries(), *self.control.entries(), *self.account.entries())
        edges = {TopicPartition(t, 0): c.edge for t, c in self.collectors.items() if c.edge}
        return Commit(records, {**edges, **self._control_read}, entries)

    def committed(self) -> None:
        """Note that the last commit is durable."""
        self.pending.clear()
        for part in (self.memory, self.parking, self.control):
            part.committed()
