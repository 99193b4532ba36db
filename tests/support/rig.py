"""A whole bridge in memory over mappings from text: what the monolith writes goes in, what consumers read comes out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from figbridge import bootstrap
from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.domain.authority import Cut, Grant, GrantKind, Stage
from figbridge.domain.claim import Claim
from figbridge.domain.fact import LEGACY, Cell, Fact
from figbridge.domain.verdict import Verdict
from figbridge.mapping.compiler import Plan, compile_plan
from figbridge.mapping.loader import parse_mapping, parse_service
from figbridge.mapping.model import Mapping, Service
from figbridge.operations import dead_letters, parked
from figbridge.operations.authority import declare
from figbridge.operations.bridge import create_topics
from figbridge.pipeline.account import Account
from figbridge.pipeline.collect import Suspect
from figbridge.pipeline.edge import Edge
from figbridge.pipeline.letters import ByReference, Vault
from figbridge.pipeline.perform import Performed, Topics
from figbridge.pipeline.process import Process
from figbridge.pipeline.worker import Observe, Worker
from figbridge.ports import AuthorityStore, Log, Outgoing, Record, TopicPartition
from support.monolith import Monolith, Step, shop

GROUP = "bridge"
TOPICS = Topics()
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Said(NamedTuple):
    """One event as a test looks at it."""

    type: str
    subject: str
    data: dict[str, Any]


@cache
def plan_of(mappings: tuple[str, ...], services: tuple[str, ...] = ()) -> Plan:
    """Compile documents from their text."""
    return compile_plan(*parsed(mappings, services))


def parsed(mappings: Iterable[str], services: Iterable[str] = ()) -> tuple[list[Mapping], list[Service]]:
    """Parse documents from their text."""
    return [parse_mapping(m) for m in mappings], [parse_service(s) for s in services]


@cache
def edge_of(plan: Plan) -> Edge:
    """Return what a plan's pipeline needs of outside; a decoder is costly to make and keeps nothing that matters."""
    found = bootstrap.edge(plan, TOPICS)
    decode = found.decoder(TOPICS.log(LEGACY))
    return replace(found, decoder=lambda _: decode)


def facts_of(plan: Plan, successors: dict[str, str] | None = None) -> list[Fact]:
    """Return every fact that a plan speaks of, as the monolith's."""
    names = {f for c in plan.mappings.values() for f, _ in c.mapping.facts}
    names |= {e.fact for s in plan.services.values() for e in s.events}
    return [Fact(name, "", LEGACY, (successors or {}).get(name), "") for name in sorted(names)]


class Rig:
    """A bridge over one log. `log` and `store` may be given, to go on where another bridge stopped."""

    def __init__(
        self,
        *mappings: str,
        services: Sequence[str] = (),
        monolith: Monolith | None = None,
        log: Log | None = None,
        store: AuthorityStore | None = None,
        batch: int = 1000,
        partitions: int = 3,
        successors: dict[str, str] | None = None,
        plan: Plan | None = None,
        vault: Vault | None = None,
    ) -> None:
        self.vault = vault or ByReference()
        self.texts, self.services, self._plan = mappings, services, plan
        self.monolith = monolith or shop()
        self.log: Log = log or MemoryLog()
        self.store: AuthorityStore = store or MemoryAuthorityStore()
        self.batch = batch
        self.partitions = partitions
        self.made: list[Performed] = []
        self.skipped: list[str] = []
        self.suspects: list[Suspect] = []
        self.observe: Observe | None = None
        self.start(*mappings)
        declare(self.store, facts_of(self.plan, successors), NOON, "test")

    def start(self, *mappings: str) -> None:
        """Start a bridge from what is committed, as after a crash; other mappings may be given."""
        self.texts = mappings or self.texts
        self.plan = self._plan or plan_of(tuple(self.texts), tuple(self.services))
        self.sources = bootstrap.sources(self.plan, TOPICS)
        create_topics(self.log, self.plan, TOPICS, self.sources, self.partitions)
        self.session = self.log.session(GROUP, [*self.sources, TOPICS.control])
        self.edge = replace(edge_of(self.plan), history=bootstrap.history(self.log), vault=self.vault)
        self.process = Process(self.plan, self.session.state, self.sources, self.edge)
        self.worker = Worker(self.session, self.process, self.store, self.batch, self._observe)

    def _observe(self, process: Process, performed: list[Performed]) -> None:
        if self.observe is not None:
            self.observe(process, performed)
        self.made += performed
        for transaction, said in process.pending:
            self.skipped += said.skipped
            self.suspects += transaction.suspects if transaction is not None else ()

    # --- in --------------------------------------------------------------------------------------

    def write(self, records: Iterable[Outgoing]) -> None:
        """Append records to the log and process all of them."""
        self.log.append(list(records))
        self.drain()

    def drain(self) -> None:
        """Process until nothing more comes."""
        while self.worker.step(0):
            pass

    def commit(self, *steps: Step) -> list[Said]:
        """Commit one transaction of the monolith; returns the events that came of it."""
        known = self.ends()
        self.write(self.monolith.transaction(*steps))
        return self.events(known)

    def know(self, *steps: Step) -> None:
        """Let rows be there, and known from a snapshot."""
        self.monolith.fill(*steps)
        wanted = {(s.table, self.monolith.key(s.table, s.cells)) for s in steps}
        found = [(t, row) for (t, k), row in self.monolith.rows.items() if (t, k) in wanted]
        order = {t.rpartition(".")[2]: n for n, t in enumerate(self.plan.snapshot_order())}
        found.sort(key=lambda each: order.get(each[0], 0))
        self.write(self.monolith._row(t, "r", None, row, snapshot="true") for t, row in found)

    def grant(self, fact: str, owner: str, *cuts: Cut, stage: Stage = Stage.SERVICE) -> None:
        """Move a fact to another system at the cuts."""
        draft = Grant(Cell(fact), owner, LEGACY, stage, GrantKind.BREAK_GLASS, "test", "test", "2026-11-21")
        self.store.grant(draft, lambda: cuts)

    def decide(self, key: str, action: Any) -> None:
        """Send a decision on a parked key, and let the bridge carry it out."""
        parked.decide(self.log, GROUP, TOPICS.control, key, action, by="ann", reason="seen", at="2026-11-21T12:00:00Z")
        self.drain()

    def replay(self, *positions: str) -> None:
        """Have dead letters replayed, and let the bridge carry it out."""
        self.ask_replay(*positions)
        self.drain()

    def ask_replay(self, *positions: str) -> None:
        """Send the decision to replay dead letters."""
        dead_letters.replay(
            self.log, GROUP, TOPICS, self.plan, self.edge, positions, by="ann", reason="mended", at="2026-11-21"
        )

    def discard(self, *positions: str) -> None:
        """Have dead letters discarded, and let the bridge carry it out."""
        dead_letters.discard(self.log, GROUP, TOPICS, positions, by="ann", reason="noise", at="2026-11-21")
        self.drain()

    # --- out -------------------------------------------------------------------------------------

    def ends(self) -> dict[TopicPartition, int]:
        """Return where each topic ends."""
        return self.log.ends(list(self.log.topics()))

    def records(self, kind: str, since: dict[TopicPartition, int] | None = None) -> list[Record]:
        """Return the records of the topics with this word in their name, partition by partition."""
        found: list[Record] = []
        for place, end in sorted(self.ends().items()):
            if f".{kind}" in place.topic:
                found += self.log.read(place, (since or {}).get(place, 0), end)
        return found

    def events(self, since: dict[TopicPartition, int] | None = None, kind: str = "domain") -> list[Said]:
        """Return published events in the order in which they were made."""
        bodies = [json.loads(r.value or b"") for r in self.records(kind, since)]
        rank = {p.event_id: n for n, p in reversed(list(enumerate(self.made)))}
        bodies.sort(key=lambda b: rank.get(b["id"], 0))
        return [Said(b["type"], b["subject"], b["data"]) for b in bodies]

    def claims(self, verdict: Verdict | None = None) -> list[Claim]:
        """Return every claim made since the start, with one verdict or with any."""
        return [p.decision.claim for p in self.made if verdict in (None, p.decision.verdict)]

    def silences(self) -> list[tuple[str, str]]:
        """Return fact and reason of every claim that no event told."""
        return [(c.cell.fact, c.silent) for c in self.claims(Verdict.SILENT)]

    def parked(self) -> dict[str, list[str]]:
        """Return the parked keys with the codes of their waiting changes."""
        found = {k.key: parked.show_parked(self.log, GROUP, k.key, values=False) for k in self.parked_keys()}
        return {key: [c.code for c in changes] for key, changes in found.items()}

    def parked_keys(self) -> list[parked.ParkedKey]:
        """Return the parked keys."""
        return parked.list_parked(self.log, GROUP)

    def letters(self, state: str = "") -> list[dead_letters.LetterStatus]:
        """Return the dead letters."""
        return list(dead_letters.list_letters(self.log, GROUP, TOPICS, state=state))

    def account(self) -> Account:
        """Return what is committed of both ledgers."""
        return Account.of(self.log.state(GROUP))

    def written(self) -> dict[TopicPartition, list[Record]]:
        """Return every record that the bridge wrote, by topic and partition."""
        read = (*self.sources, TOPICS.control)
        return {p: self.log.read(p, 0, end) for p, end in sorted(self.ends().items()) if p.topic not in read}

    def check(self) -> None:
        """Demand that both ledgers balance, in memory and as committed, and that the records add up to the log."""
        for account in (self.process.account, self.account()):
            assert account.unbalanced() == ""
        assert self.process.account.as_dict() == self.account().as_dict()
        committed = self.log.committed(GROUP)
        assert self.account().records["read"] == sum(committed.values())
