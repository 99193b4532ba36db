"""What librdkafka does behind one's back, and members that are late: each has cost somebody records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer

from contract.harness import PATIENCE_S, commit_of, everything, numbered, take, until, values
from figbridge.adapters.kafka import producer as producer_module
from figbridge.adapters.kafka.changelog import changelog_of
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.doubt import Unsure
from figbridge.adapters.kafka.log import KafkaLog
from figbridge.adapters.kafka.producer import Transactions
from figbridge.adapters.kafka.session import KafkaSession
from figbridge.errors import Fenced
from figbridge.sandbox import parts
from figbridge.sandbox.broker import Broker
from figbridge.sandbox.jvm import Jvm
from figbridge.sandbox.ports import free_port
from support.proxy import END_TXN, Proxy, proxied

from .conftest import Scene

pytestmark = pytest.mark.sandbox

SOCKET_TIMEOUT_MS = 2_000


class BehindProxy(Broker):
    """A broker with a second listener, whose clients are sent through a proxy."""

    def __init__(self, folder: Path, jvm: Jvm) -> None:
        super().__init__(folder, jvm=jvm, heap_mb=512)
        self.inside, self.outside = free_port(), free_port()

    def _settings(self) -> dict[str, object]:
        found = super()._settings()
        found["listeners"] = f"{found['listeners']},PROXIED://127.0.0.1:{self.inside}"
        found["advertised.listeners"] = f"{found['advertised.listeners']},PROXIED://127.0.0.1:{self.outside}"
        found["listener.security.protocol.map"] = f"{found['listener.security.protocol.map']},PROXIED:PLAINTEXT"
        return found


@pytest.fixture(scope="module")
def proxy(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Give a proxy with a broker of its own behind it; the session's broker has seen to the jars."""
    broker = BehindProxy(tmp_path_factory.mktemp("proxied"), Jvm(parts.cache() / "kafka"))
    broker.start()
    try:
        with proxied(broker.outside, broker.inside) as made:
            made.address = f"127.0.0.1:{broker.outside}"
            yield made
    finally:
        broker.stop()


@pytest.fixture
def behind(proxy: Proxy, tmp_path: Path) -> Iterator[Scene]:
    """Give a scene whose clients speak through the proxy."""
    made = Scene(proxy.address, tmp_path)
    yield made
    made.close()


def held_back(proxy: Proxy, session: KafkaSession, commit: Any) -> float:
    """Commit while the answer to EndTxn is held back for longer than the client waits; returns how long it took."""

    def release_later() -> None:
        assert proxy.held.wait(PATIENCE_S)
        until(lambda: proxy.held.wait(0.05), lambda _: monotonic() - began > SOCKET_TIMEOUT_MS / 1_000 + 0.5)
        proxy.release()

    began = monotonic()
    thread = Thread(target=release_later)
    proxy.hold(END_TXN)
    thread.start()
    session.commit(commit)
    took = monotonic() - began
    thread.join()
    return took


class TestLateEndTxn:
    def test_a_slow_commit_gets_the_next_transaction_a_new_producer(self, proxy: Proxy, behind: Scene) -> None:
        """Librdkafka sends EndTxn again and says success; the late copy may end a later transaction half done."""
        log = behind.open(socket_timeout_ms=SOCKET_TIMEOUT_MS)
        out, source = f"out-{behind.run}", f"in-{behind.run}"
        for name in (out, source):
            log.create(name)
        session = log.session(behind.group, [source])
        session.commit(commit_of(numbered(out, [1])))
        assert session.rotations == 0, "a commit in time costs no new producer"
        assert held_back(proxy, session, commit_of(numbered(out, [2]))) >= SOCKET_TIMEOUT_MS / 1_000
        session.commit(commit_of(numbered(out, [3])))
        assert session.rotations == 1
        session.commit(commit_of(numbered(out, [4])))
        assert session.rotations == 1
        assert values(everything(behind.open(), out)[0]) == [b"1", b"2", b"3", b"4"]


class Spied(Producer):
    """A real producer that notes when it is asked to abort."""

    aborts: int = 0

    def abort_transaction(self, *arguments: Any) -> None:
        Spied.aborts += 1
        super().abort_transaction(*arguments)


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> type[Spied]:
    """Let every producer of the adapter be spied on."""
    monkeypatch.setattr(producer_module, "Producer", Spied)
    Spied.aborts = 0
    return Spied


class TestFatal:
    def test_a_producer_that_was_fenced_never_aborts(self, scene: Scene, spied: type[Spied]) -> None:
        """After a fatal error abort fails, unflagged; and what there is to abort, the successor has aborted."""
        log = scene.open()
        out = f"out-{scene.run}"
        log.create(out)
        cluster = Cluster(scene.servers)
        old, new = Transactions(cluster, f"x-{scene.run}"), Transactions(cluster, f"x-{scene.run}")
        old.start()
        new.start()
        with pytest.raises(Fenced):
            old.run(lambda producer: producer.produce(out, b"late", None, 0), (), None)
        assert spied.aborts == 0
        new.run(lambda producer: producer.produce(out, b"mine", None, 0), (), None)
        assert values(everything(log, out)[0]) == [b"mine"]

    def test_a_defect_of_ours_aborts(self, scene: Scene, spied: type[Spied]) -> None:
        """What is no error of Kafka's leaves nothing open behind: the next transaction is whole."""
        log = scene.open()
        out = f"out-{scene.run}"
        log.create(out)
        transactions = Transactions(Cluster(scene.servers), f"x-{scene.run}")
        transactions.start()

        def half(producer: Producer) -> None:
            producer.produce(out, b"half", None, 0)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            transactions.run(half, (), None)
        assert spied.aborts == 1
        transactions.run(lambda producer: producer.produce(out, b"whole", None, 0), (), None)
        assert values(everything(log, out)[0]) == [b"whole"]


class TestZombies:
    def test_a_member_that_was_away_too_long_cannot_commit(self, scene: Scene) -> None:
        """After `max.poll.interval.ms` its log is another's. It does not know yet; the brokers do."""
        zombies = scene.open(max_poll_interval_ms=6_000)
        (source,) = logs = scene.sources(zombies, 1)
        out = f"out-{scene.run}"
        zombies.create(out)
        zombies.append(numbered(source, range(3)))
        zombie = scene.join(zombies, logs)
        session = until(lambda: zombie.sessions(0.1), bool)[source,]
        polled = take(session, 3)
        successor = scene.join(scene.open(), logs)
        mine = until(lambda: successor.sessions(0.1), bool)[source,]  # nobody has polled for the zombie meanwhile
        with pytest.raises(Fenced):
            session.commit(commit_of(numbered(out, [666]), polled, [("s", "g", "m", b"late")]))
        mine.commit(commit_of(numbered(out, [1]), take(mine, 3)))
        assert values(everything(scene.open(), out)[0]) == [b"1"]
        assert mine.state.count("s") == 0

    def test_the_brokers_refuse_it_also_when_it_asks_nobody(self, scene: Scene) -> None:
        """The same, past the adapter's own look at the group: the proof in the transaction is what counts."""
        zombies = scene.open(max_poll_interval_ms=6_000)
        (source,) = logs = scene.sources(zombies, 1)
        out = f"out-{scene.run}"
        zombies.create(out)
        zombies.append(numbered(source, range(3)))
        zombie = scene.join(zombies, logs)
        session = until(lambda: zombie.sessions(0.1), bool)[source,]
        polled = take(session, 3)
        session._follow = lambda timeout_s: None
        successor = scene.join(scene.open(), logs)
        mine = until(lambda: successor.sessions(0.1), bool)[source,]
        with pytest.raises(Fenced):
            session.commit(commit_of(numbered(out, [666]), polled))
        mine.commit(commit_of(numbered(out, [1]), take(mine, 3)))
        assert values(everything(scene.open(), out)[0]) == [b"1"]

    def test_an_open_transaction_of_the_dead_does_not_keep_its_successor_waiting(self, scene: Scene) -> None:
        """The successor's `init_transactions` ends it, long before its timeout would."""
        log = scene.open()
        (source,) = logs = scene.sources(log, 1)
        left_open = Transactions(
            Cluster(scene.servers, transaction_timeout_ms=600_000), changelog_of(scene.group, source)
        )
        left_open.start()
        producer = left_open._producer
        assert producer is not None
        producer.begin_transaction()
        producer.produce(source, b"never", None, 0)
        producer.flush()
        began = monotonic()
        member = scene.join(log, logs)
        session = until(lambda: member.sessions(0.1), bool)[source,]
        log.append(numbered(source, [1]))
        assert values(take(session, 1)) == [b"1"]
        assert monotonic() - began < 120.0, "a fifth of what the brokers would have waited"


def test_an_unanswered_commit_is_looked_up_not_guessed(proxy: Proxy, behind: Scene) -> None:
    """When the client gives a commit up, the changelog's last mark says whether it is durable."""
    log: KafkaLog = behind.open(socket_timeout_ms=SOCKET_TIMEOUT_MS, patience_s=8.0)
    out, source = f"out-{behind.run}", f"in-{behind.run}"
    for name in (out, source):
        log.create(name)
    log.append(numbered(source, range(2)))
    session = log.session(behind.group, [source])
    polled = take(session, 2)
    run = session._transactions.run
    asked: list[int] = []

    def unsure(*arguments: Any) -> None:
        run(*arguments)
        asked.append(1)
        if len(asked) == 1:  # committed, and the answer is lost
            session._transactions._retire()
            raise Unsure(KafkaError(KafkaError._TIMED_OUT))

    session._transactions.run = unsure  # type: ignore[method-assign]
    session.commit(commit_of(numbered(out, [1, 2]), polled, [("s", "g", "m", b"v")]))
    assert asked == [1], "it was not done again"
    session.commit(commit_of(numbered(out, [3])))
    assert values(everything(behind.open(), out)[0]) == [b"1", b"2", b"3"]
    assert session.state.read("s", ["g"]) == {"g": {"m": b"v"}}
