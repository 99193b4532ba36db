"""The story of the demo, act by act. Each act does something to the systems and shows what the bridge made of it."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from figbridge import bootstrap
from figbridge.demo.delivery import Address
from figbridge.demo.monolith.ledger import Happening, by_subject
from figbridge.demo.stage import Stage
from figbridge.demo.watch import Seen, event_of
from figbridge.demo.words import address_in_words, events_in_words, rows_in_words
from figbridge.domain.change import Position
from figbridge.domain.fact import LEGACY
from figbridge.domain.verdict import Verdict
from figbridge.errors import InvariantError
from figbridge.operations import authority
from figbridge.operations.status import status
from figbridge.operations.who_owned import who_owned
from figbridge.ports import Log, TopicPartition

FACT = "order.delivery"


@dataclass(slots=True)
class Act:
    """One act: a headline, pairs of what was written and what was said, and remarks; all of it seen in this run."""

    title: str
    pairs: list[tuple[list[str], list[str]]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Story:
    """Tell the story on a stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._mark = 0
        self._first = 0
        self._spoken = 0
        self._told_from = 0

    def acts(self) -> Iterator[Act]:
        """Yield the acts as they happen."""
        yield self._snapshot()
        yield from self._trade()
        number = self.stage.shop.place_order()
        self._caught_up("legacy")
        yield self._shadow(number)
        yield self._move()
        yield self._service_speaks(number)
        yield self._caught()
        yield self._who_owned(number)
        self.stage.shop.trade(60, without=("readdress", "repoint", "assign_carrier"))
        self._caught_up("legacy")
        yield self._account()

    # --- acts ------------------------------------------------------------------------------------

    def _snapshot(self) -> Act:
        act = Act("The monolith trades; Debezium reads what is there")
        self._first = self.stage.shop.book.last["tx"]
        self.stage.stream()
        rows = _rows_to_read(self.stage)
        seen = self.stage.watch.wait(lambda s: sum(len(t.rows) for t in s if t.snapshot) >= rows, 0, "the snapshot")
        tables = Counter(row.shape.table.removeprefix("shop.") for t in seen if t.snapshot for row in t.rows)
        said = Counter(event_of(d)["type"] for t in seen for d in t.performed if d.record is not None)
        act.pairs.append(([f"{n} rows of {t}" for t, n in tables.items()], [f"{n} {e}" for e, n in said.items()]))
        act.remarks.append("A snapshot says what is known. It announces nothing as if it had just happened.")
        self._mark = self.stage.watch.mark()
        self._told_from = len(self.stage.shop.ledger())
        return act

    def _trade(self) -> Iterator[Act]:
        shop = self.stage.shop
        yield self._act("One transaction over many rows is one event", shop.place_order)
        yield self._act("A touch is nothing", shop.touch)
        yield self._act("An ORM writes every column back, some of them stale for a moment", shop.save_stale)
        yield self._act("The same checkout through another door: many transactions", shop.checkout)
        yield self._act("Somebody edits an address row that names no order", shop.readdress)
        yield self._act("A DBA mends a total by hand", shop.fix_total)

    def _shadow(self, number: int) -> Act:
        act = Act(f"The delivery service speaks about {FACT}, which legacy owns")
        order = f"order-{number}"
        self.stage.delivery.accept(order, None)
        act.pairs += self._pairs(self._service(order, "Ada Example", "Seestr. 4", "13353", "Berlin"))
        act.remarks.append(
            "It may speak, because facts.yaml names it as the successor; in the shadow topic, to compare."
        )
        return act

    def _move(self) -> Act:
        act = Act(f"Authority over {FACT} moves to the service")
        stage = self.stage
        log, topics = stage.bridge.log, bootstrap.topics(stage.settings)
        granted = authority.grant(
            stage.bridge.store,
            log,
            FACT,
            "delivery",
            "the demo: shadow agreed, so the service takes over",
            getpass.getuser(),
            datetime.now(UTC),
            break_glass=True,
            source_topics=bootstrap.source_topics(log, topics),
        )
        cuts = ", ".join(f"{c.topic}@{c.offset}" for c in granted.cuts)
        act.remarks.append(f"epoch {granted.epoch} begins at {cuts}")
        act.remarks.append(f"recorded as {granted.kind.value} by {granted.by}: {granted.reason}")
        return act

    def _service_speaks(self, number: int) -> Act:
        act = Act("Now the same word of the service is the owner's, on the same domain topic")
        act.pairs += self._pairs(self._service(f"order-{number}", "Ada Example", "Kieler Str. 9", "10115", "Berlin"))
        return act

    def _caught(self) -> Act:
        act = Act('A "reporting job that fixes addresses" still writes to legacy')
        touched = self.stage.shop.reporting_job(1)
        seen = self._caught_up("legacy")
        act.pairs += self._pairs(seen)
        for done in (d for t in seen for d in t.performed if d.decision.verdict is Verdict.UNAUTHORISED):
            data = event_of(done)["data"]
            act.remarks.append(f"before  {address_in_words(data['before'].get('shipTo'))}")
            act.remarks.append(f"after   {address_in_words(data['after'].get('shipTo'))}")
            act.remarks.append(
                f"caught: {data['why']}; transaction {data['transaction']['commit']} of order {touched[0]}"
            )
        return act

    def _who_owned(self, number: int) -> Act:
        act = Act("Who owned it then? Who owns it now?")
        stage = self.stage
        newest = authority.history(stage.bridge.store, FACT)[-1]
        cut = next(c for c in newest.cuts if c.topic == bootstrap.topics(stage.settings).log("legacy"))
        for offset in (cut.offset - 1, cut.offset):
            position = Position(cut.topic, cut.partition, offset)
            for answer in who_owned(
                stage.bridge.store, stage.bridge.log, FACT, position, key=f"order-{number}"
            ).answers:
                act.remarks.append(
                    f"{answer.position}  {answer.tenure.owner} (epoch {answer.tenure.epoch}, {answer.since.kind.value})"
                )
        return act

    def _account(self) -> Act:
        act = Act("The account")
        stage = self.stage
        stage.end()
        topics = bootstrap.topics(stage.settings)
        log = stage.bridge.log
        found = status(log, stage.bridge.store, stage.settings.group, bootstrap.source_topics(log, topics))
        for ledger, counts in found.account.items():
            head, *rest = counts.items()
            act.remarks.append(f"{ledger}: {head[1]} {head[0]} = " + " + ".join(f"{n} {k}" for k, n in rest if n))
        if not found.balanced:
            raise InvariantError(f"the ledgers do not balance: {found.unbalanced}", code="BUG001")
        happened, matched, quarantined = self._against_the_ledger(log)
        act.remarks.append(
            f"the monolith's own ledger: {happened} happenings = {matched} on the domain topics, in order"
            f" + {quarantined} in quarantine"
        )
        return act

    # --- how the acts see ------------------------------------------------------------------------

    def _act(self, title: str, operation: Callable[[], object]) -> Act:
        act = Act(title)
        operation()
        act.pairs += self._pairs(self._caught_up("legacy"))
        return act

    def _service(self, order: str, name: str, street: str, postcode: str, city: str) -> list[Seen]:
        address: Address = {"name": name, "text": {"street": street, "postcode": postcode, "city": city}}
        self.stage.delivery.readdress(order, address)
        self._spoken += 1
        return self._caught_up("delivery")

    def _caught_up(self, source: str) -> list[Seen]:
        """Wait until everything that a source has committed is seen; returns what came since the last look."""
        expected = self.stage.shop.book.last["tx"] - self._first if source == "legacy" else self._spoken

        def enough(seen: list[Seen]) -> bool:
            return sum(1 for t in seen if t.source == source and not t.snapshot) >= expected

        self.stage.watch.wait(enough, 0, f"transaction {expected} of {source}")
        mark, self._mark = self._mark, self.stage.watch.mark()
        return [t for t in self.stage.watch.since(mark) if t.source == source and not t.snapshot]

    @staticmethod
    def _pairs(seen: list[Seen]) -> list[tuple[list[str], list[str]]]:
        return [(rows_in_words(t), events_in_words(t) or ["nothing"]) for t in seen]

    def _against_the_ledger(self, log: Log) -> tuple[int, int, int]:
        """Compare, for each aggregate and in order, what the monolith says it did with the domain topics.

        Returns how many happenings there were, how many are on the domain topics, and how many were quarantined.
        """
        happened = {s: [h.type for h in hs] for s, hs in by_subject(self._ledger()).items()}
        quarantined = 0
        for done in (d for t in self.stage.watch.since(0) for d in t.performed):
            claim = done.decision.claim
            if done.decision.verdict is Verdict.UNAUTHORISED and claim.event is not None:
                happened[claim.subject].remove(claim.event.type)
                quarantined += 1
        published = _published(log, LEGACY)
        odd = [subject for subject, types in happened.items() if types != published.get(subject, [])]
        odd += [subject for subject in published if subject not in happened]
        if odd:
            raise InvariantError(f"the domain topics do not tell what the monolith did to {odd[0]}", code="BUG003")
        matched = sum(len(types) for types in happened.values())
        return matched + quarantined, matched, quarantined

    def _ledger(self) -> list[Happening]:
        """Return the monolith's own ledger since the snapshot."""
        return self.stage.shop.ledger()[self._told_from :]


def _published(log: Log, source: str) -> dict[str, list[str]]:
    """Return what a system's happenings on the domain topics were, by aggregate, in order."""
    found: dict[str, list[str]] = {}
    for topic, partitions in log.topics().items():
        for partition in range(partitions) if ".domain." in topic else ():
            at = 0
            while records := log.read(TopicPartition(topic, partition), at, 1000):
                for record in records:
                    event: dict[str, Any] = msgspec.json.decode(record.value or b"{}")
                    if event["source"] == source and not event["type"].endswith("Known"):
                        found.setdefault(event["subject"], []).append(event["type"])
                at = records[-1].offset + 1
    return found


def _rows_to_read(stage: Stage) -> int:
    """Return how many rows the captured tables of the shop hold: what the snapshot will read."""
    from psycopg.sql import SQL, Identifier

    total = 0
    for table in stage.bridge.plan.shapes():
        schema, _, name = table.partition(".")
        if schema == "shop":
            query = SQL("SELECT count(*) FROM {}.{}").format(Identifier(schema), Identifier(name))
            row = stage.shop.connection.execute(query).fetchone()
            total += row[0] if row is not None else 0
    return total
