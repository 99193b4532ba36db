"""Running the bridge: its topics and facts before it starts, its streams while it runs, what it tells of a batch."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.domain.authority import Cut
from figbridge.domain.fact import Fact
from figbridge.errors import Refused, Unreachable
from figbridge.operations.bridge import Bridge, Renewed, aggregates, spoken_of, wait_streaming
from figbridge.operations.lag import Lag
from figbridge.pipeline.account import Account
from figbridge.ports import TopicPartition
from figbridge.telemetry import metrics
from figbridge.telemetry.health import Health
from support.mappings import orders
from support.monolith import insert, shop, update
from support.rig import TOPICS, Rig, edge_of, facts_of, plan_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TEXT = orders(
    """
    Placed: {when: appears, tell: [total], fact: order.placement}
    Stated: {when: status changes, tell: [status], fact: order.status}
    """
)
ORDER = {"order_id": 7, "number": 1007, "stat": "P", "tot_amt": "1.00"}
LOG = TOPICS.log("legacy")


class FakeStream:
    """A connector without a database: it appends what it is given when it starts."""

    def __init__(self, log: MemoryLog, records=(), failure: Exception | None = None) -> None:
        self.log, self.records = log, records
        self.failure = failure
        self.resent = 0
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")
        self.log.append(self.records)

    def wait_streaming(self, timeout_s: float) -> None:
        self.calls.append("wait")

    def stop(self, timeout_s: float = 30.0) -> None:
        self.calls.append("stop")


def bridge(**options) -> Bridge:
    """Build a bridge over an empty log."""
    plan = plan_of((TEXT,))
    built = Bridge(plan, MemoryLog(), MemoryAuthorityStore(), edge_of(plan), {LOG: "legacy"}, "bridge", **options)
    built.prepare(facts_of(plan), NOW, "test")
    return built


def account(built: Bridge) -> Account:
    """Return what is committed of both ledgers."""
    return Account.of(built.log.state("bridge"))


def test_the_topics_are_there_before_anything_is_read() -> None:
    """Source logs, control, quarantine, dead letters, and a domain and a shadow topic of each aggregate."""
    assert bridge(domain_partitions=3).log.topics() == {
        LOG: 1, TOPICS.control: 1, TOPICS.quarantine: 1, TOPICS.dead_letters: 1,
        "figbridge.domain.order": 3, "figbridge.shadow.order": 3,
    }  # fmt: skip


def test_a_fact_that_nobody_declared_is_refused() -> None:
    """A mapping that speaks of a fact without an owner does not start."""
    plan = plan_of((TEXT,))
    built = Bridge(plan, MemoryLog(), MemoryAuthorityStore(), edge_of(plan), {LOG: "legacy"}, "bridge")
    with pytest.raises(Refused) as refused:
        built.prepare([f for f in facts_of(plan) if f.name != "order.status"], NOW, "test")
    assert (refused.value.code, "order.status" in refused.value.message) == ("AUT010", True)


def test_preparing_again_changes_nothing() -> None:
    """Topics and facts that are there stay; a fact declared otherwise is told, and not touched."""
    built = bridge()
    version = built.store.load().version
    facts = facts_of(built.plan)
    with capture_logs() as logs:
        built.prepare([Fact(f.name, "", "delivery", None, "") for f in facts], NOW, "test")
    assert built.store.load().version == version
    assert {entry["event"] for entry in logs} == {"facts_contradict"}


def test_a_run_starts_its_streams_and_stops_them() -> None:
    """What a stream appends is processed, and the streams are stopped however the run ends."""
    built = bridge()
    stream = FakeStream(built.log, shop().transaction(insert("orders", **ORDER)))
    built.streams = {"legacy": stream}
    assert built.run(lambda: False, idle=lambda: True) == 3
    assert stream.calls == ["start", "stop"]
    assert (account(built).records["read"], account(built).claims["publish"]) == (3, 1)
    assert account(built).balanced


def test_a_stream_that_fails_ends_the_run_with_its_reason() -> None:
    """What was read before it is committed; the failure is told and raised."""
    built = bridge()
    failure = Unreachable("the database went away")
    stream = FakeStream(built.log, shop().transaction(insert("orders", **ORDER)), failure)
    built.streams = {"legacy": stream}
    with capture_logs() as logs, pytest.raises(Unreachable, match="went away"):
        built.run(lambda: False)
    assert "stream_failed" in {entry["event"] for entry in logs}
    assert stream.calls == ["start", "stop"]
    assert account(built).records["read"] == 3


def test_a_run_that_is_told_to_stop_reads_nothing_more() -> None:
    """Between two batches the run asks whether to go on."""
    built = bridge(batch=3)
    monolith = shop()
    built.log.append(
        [
            *monolith.transaction(insert("orders", **ORDER)),
            *monolith.transaction(insert("orders", **{**ORDER, "order_id": 8})),
        ]
    )
    asked = iter([False, True])
    assert built.run(lambda: next(asked)) == 3


def test_a_run_goes_on_where_the_one_before_stopped() -> None:
    """Positions, memory and account are those that were committed."""
    built = bridge(batch=1)
    monolith = shop()
    built.log.append(
        [
            *monolith.transaction(insert("orders", **ORDER)),
            *monolith.transaction(update("orders", {"order_id": 7}, stat="C")),
        ]
    )
    for _ in range(3):
        built.run(lambda: False, idle=lambda: True)
    assert account(built).records["read"] == 6
    assert account(built).claims["publish"] == 2


def test_a_batch_tells_what_a_person_should_know() -> None:
    """Suspects, parked keys, dead letters and quarantined claims are log events, without any value."""
    rig = Rig(TEXT)
    rig.know(insert("orders", **ORDER))
    rig.grant("order.status", "delivery", Cut(LOG, 0, rig.log.ends([LOG])[LOG, 0]))
    built = Bridge(rig.plan, rig.log, rig.store, edge_of(rig.plan), {LOG: "legacy"}, "bridge")
    m = rig.monolith
    rows = m.begin(update("orders", {"order_id": 7}, stat="C"))
    rig.log.append([*rows, m.end(3), *m.transaction(update("orders", {"order_id": 7}, stat="Q"))])
    broken = m.transaction(insert("orders", **{**ORDER, "order_id": 9, "number": 9}))
    rig.log.append(
        [broken[0], broken[1]._replace(value=broken[1].value.replace(b'"order_id":9', b'"order_id":null')), broken[2]]
    )
    with capture_logs() as logs:
        built.run(lambda: False, idle=lambda: True)
    told = {entry["event"]: entry for entry in logs}
    assert {"transaction_suspect", "key_parked", "record_dead", "claim_quarantined"} <= told.keys()
    assert told["transaction_suspect"]["doubt"] == "count-differs"
    assert (told["key_parked"]["key"], told["record_dead"]["reason"]) == ("orders[7]", "KEY_MISSING")
    assert told["claim_quarantined"]["owner"] == "delivery"


def test_what_a_plan_speaks_of() -> None:
    """Aggregates and facts of mappings and services together."""
    plan = plan_of((TEXT,))
    assert aggregates(plan) == {"Order"}
    assert spoken_of(plan) == {"order.placement", "order.status", "order.delivery", "order.payment", "order.notes"}


def test_waiting_for_streams_raises_what_one_failed_of() -> None:
    """A stream that failed while starting is not waited for."""
    log = MemoryLog()
    well, ill = FakeStream(log), FakeStream(log, failure=Unreachable("no answer"))
    wait_streaming([well])
    assert well.calls == ["wait"]
    with pytest.raises(Unreachable, match="no answer"):
        wait_streaming([well, ill])


LOUDER = orders(
    """
    Placed: {when: appears, tell: [total], fact: order.placement}
    Stated: {when: status changes, tell: {to: status, from: was.status}, fact: order.status}
    """
)


def test_renewed_mappings_hold_from_the_committed_edge_on() -> None:
    """A transaction that stood half read when the mappings changed is judged whole, by the new ones, and once."""
    built = bridge(batch=1)
    monolith = shop()
    first = monolith.transaction(insert("orders", **ORDER))
    second = monolith.transaction(update("orders", {"order_id": 7}, stat="C"))
    built.log.append([*first, *second])
    plan = plan_of((LOUDER,))
    other = Renewed(plan, edge_of(plan), tuple(facts_of(plan)), NOW, "test")
    asked = iter(range(100))
    with capture_logs() as logs:
        # After the second transaction's BEGIN: it is open then.
        built.run(lambda: False, idle=lambda: True, renewed=lambda: other if next(asked) == len(first) else None)
    assert [e["mappings"] for e in logs if e["event"] == "mappings_renewed"] == [["orders"]]
    told = [json.loads(r.value)["data"] for p in range(4) for r in built.log.read(domain(p), 0, 9)]
    assert {"to": "confirmed", "from": "placed"} in told
    assert len(told) == 2
    assert account(built).balanced


def test_a_running_bridge_says_how_it_goes() -> None:
    """Ready while it works, and not any more when it was told to stop."""
    health = Health(lambda: 1.0)
    built = bridge(health=health)
    seen = []
    built.run(lambda: bool(seen), idle=lambda: seen.append((health.started().yes, health.ready().why)) or False)
    assert seen == [(True, "working")]
    assert health.ready() == (False, "stopping")


class PatientLog(MemoryLog):
    """A log whose members open a session again when one was lost, as on brokers."""

    def join(self, group, sources, beside=(), start=None):
        log, topics = self, [*sources, *beside]

        class Again:
            held = log.session(group, topics)

            def sessions(self, timeout_s=0.0):
                return {tuple(sources): self.held}

            def lost(self, logs, error):
                self.held = log.session(group, topics)

            def worked(self):
                pass

            def close(self):
                self.held.close()

        return Again()


class AbsentStore(MemoryAuthorityStore):
    """A store that does not answer as long as it is absent."""

    absent = False

    def shared(self):
        if self.absent:
            raise Unreachable("the authority store does not answer")
        return super().shared()


def test_a_bridge_that_cannot_read_the_authority_is_not_ready_and_commits_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds; the probe names the reason and the figure says so; when the store answers again it goes on."""
    monkeypatch.setattr(metrics, "_kept", None)
    kept = metrics.keep()
    plan, health, store = plan_of((TEXT,)), Health(lambda: 1.0), AbsentStore()
    built = Bridge(plan, PatientLog(), store, edge_of(plan), {LOG: "legacy"}, "bridge", health=health)
    built.prepare(facts_of(plan), NOW, "test")
    built.log.append(shop().transaction(insert("orders", **ORDER)))
    store.absent = True
    seen = []

    def stop() -> bool:
        if health.started().yes:
            figure = re.search(r"^figbridge_ready (\S+)$", kept.text().decode(), re.MULTILINE)
            seen.append((*health.ready(), account(built).records["read"], figure and figure[1]))
            store.absent = False
        return len(seen) == 3

    built.run(stop)
    assert seen[0] == (False, "OPS001 the authority store does not answer", 0, "0.0")
    assert seen[-1] == (True, "working", 3, "1.0")


class MuteLog(MemoryLog):
    """A log that gives no records and, as long as it is mute, does not say where it ends: as brokers that are gone."""

    mute = True

    def ends(self, topics):
        if self.mute:
            raise Unreachable("no broker answers")
        return super().ends(topics)


def test_a_bridge_that_waits_for_records_of_a_log_that_is_gone_is_not_ready() -> None:
    """Waiting looks the same whether nothing comes or nobody is there; so the log is asked where it ends, too."""
    health, log, plan = Health(lambda: 1.0), MuteLog(), plan_of((TEXT,))
    edge, sources = edge_of(plan), {LOG: "legacy"}
    lag = Lag(log, "bridge", sources, edge, lambda: 0.0, every_s=0.01)
    built = Bridge(plan, log, MemoryAuthorityStore(), edge, sources, "bridge", lag=lag, health=health)
    log.create(LOG)
    deadline, seen = time.monotonic() + 30, []

    def stop() -> bool:
        if health.started().yes and health.ready() not in seen:
            seen.append(health.ready())
        log.mute = (False, "OPS001 no broker answers") not in seen
        return (not log.mute and seen[-1].yes) or time.monotonic() > deadline

    built.run(stop)
    assert seen[-2:] == [(False, "OPS001 no broker answers"), (True, "working")]


def test_how_far_behind_a_bridge_is_is_told_in_records_and_in_seconds_since_the_source_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first record that waits says when its transaction was committed; who has read everything is not behind."""
    monkeypatch.setattr(metrics, "_kept", None)
    registry, built = metrics.keep(), bridge()
    built.log.append([*shop().transaction(insert("orders", **ORDER))])
    (end,) = (r for r in built.log.read(TopicPartition(LOG, 0), 0, 9) if b'"END"' in (r.value or b""))
    committed_s = json.loads(end.value)["ts_ms"] / 1000
    lag = Lag(built.log, "bridge", built.sources, built.edge, lambda: committed_s + 90)

    def told() -> dict[str, float]:
        lag.look()
        return {k: float(v) for k, v in re.findall(r"figbridge_(lag_\w+)\S* ([0-9.]+)", registry.text().decode())}

    assert told() == {"lag_records": 3, "lag_seconds": pytest.approx(90, abs=1)}
    built.run(lambda: False, idle=lambda: True)
    assert told() == {"lag_records": 0, "lag_seconds": 0}


def domain(partition: int) -> TopicPartition:
    """Return a partition of the orders' domain topic."""
    return TopicPartition("figbridge.domain.order", partition)
