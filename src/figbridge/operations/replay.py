"""Replay captured records through the pipeline without any server, and tell what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import msgspec

from figbridge.domain.authority import Authority
from figbridge.domain.verdict import Verdict
from figbridge.errors import InvariantError
from figbridge.mapping.compiler import Plan
from figbridge.pipeline.account import Account
from figbridge.pipeline.collect import Counted, Transaction
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.memory import NoState
from figbridge.pipeline.perform import Performed
from figbridge.pipeline.process import Process
from figbridge.pipeline.translate import Translated
from figbridge.ports import Record

_KIND = {Verdict.PUBLISH: "event", Verdict.SHADOW: "shadow", Verdict.UNAUTHORISED: "unauthorised"}


@dataclass(frozen=True, slots=True)
class Told:
    """One outcome: `kind` is event, shadow, unauthorised, suppressed, parked or dead."""

    kind: str
    body: Any


@dataclass(slots=True)
class Replay:
    """A replay under way: iterate over it to the end, then read its account."""

    plan: Plan
    edge: Edge
    authority: Authority
    batch: int = 1000
    account: Account | None = None

    def run(self, records: Iterable[Record]) -> Iterator[Told]:
        """Yield what became of the records, in log order. Raises InvariantError when a ledger does not balance."""
        records = iter(records)
        first = next(records, None)
        if first is None:
            self.account = Account()
            return
        process = Process(self.plan, NoState(), {first.topic: self._source(first.topic)}, self.edge)
        records = chain((first,), records)
        while chunk := list(islice(records, self.batch)):
            process.take(chunk)
            yield from self._settle(process)
        process.finish()
        yield from self._settle(process)
        self.account = process.account
        if not self.account.balanced:
            raise InvariantError(f"the ledgers do not balance: {self.account.unbalanced()}", code="BUG001")

    def _source(self, topic: str) -> str:
        """Return whose log a topic is: a service's by its name, else the monolith's."""
        return next((s for s in self.plan.services if topic == self.edge.topics.log(s)), "legacy")

    def _settle(self, process: Process) -> Iterator[Told]:
        performed = process.decide(self.authority)
        process.commit(performed)
        yield from told(process.pending, performed)
        process.committed()


def told(pending: Sequence[tuple[Transaction | None, Translated]], performed: Sequence[Performed]) -> Iterator[Told]:
    """Yield the outcomes of a batch: of each transaction its events, then what was suppressed, parked and dead."""
    by_origin: dict[int, list[Performed]] = {}
    for done in performed:
        by_origin.setdefault(id(done.origin), []).append(done)
    for transaction, said in pending:
        for done in by_origin.get(id(said.origin), ()):
            yield from _decided(done)
        if transaction is not None:
            yield from _suppressed(transaction, said)
        position = str(said.origin.position)
        for key, park in said.parked.items():
            yield Told("parked", {"key": key, "code": park.code, "why": park.why, "position": position})
        for rule in said.skipped:
            yield Told("suppressed", {"reason": f"{rule} stayed unknown", "position": position})
        for dead in said.dead:
            yield Told("dead", {"reason": dead.reason, "detail": dead.detail, "position": str(dead.position)})


def _decided(done: Performed) -> Iterator[Told]:
    decision, claim = done.decision, done.decision.claim
    if done.record is not None:
        yield Told(_KIND.get(decision.verdict, decision.verdict.value), msgspec.json.decode(done.record.value or b""))
    elif decision.verdict in (Verdict.NO_OP, Verdict.SILENT):
        yield Told(
            "suppressed",
            {
                "verdict": decision.verdict.value,
                "fact": claim.cell.fact,
                "subject": claim.subject,
                "reason": decision.why,
                "position": str(done.origin.position),
            },
        )


def _suppressed(transaction: Transaction, said: Translated) -> Iterator[Told]:
    for row, counted in zip(transaction.rows, said.rows, strict=False):
        if counted is Counted.UNCHANGED:
            body = {"table": row.shape.table, "reason": "nothing that matters changed", "position": str(row.position)}
            yield Told("suppressed", body)
