"""What a sandbox consists of: it grows, it keeps its ports, and what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.errors import Refused
from figbridge.sandbox import plan, pom
from figbridge.sandbox.plan import KINDS, Plan

EMPTY = Plan(kinds=())
some_kinds = st.sets(st.sampled_from(KINDS))


@settings(deadline=None)  # it asks the kernel for ports
@given(some_kinds, some_kinds, st.integers(1, 3), st.integers(1, 3))
def test_growing_loses_nothing_and_gives_every_server_a_port(
    first: set[str], second: set[str], brokers: int, workers: int
) -> None:
    """What was there stays where it was; every server has a port of its own."""
    before = EMPTY.grown(first, brokers, workers, lossy=False).with_ports({})
    after = before.grown(second, None, None, lossy=False).with_ports({})
    assert set(after.kinds) == plan.complete(first | second)
    assert set(after.names()) >= set(before.names())
    assert {name: after.ports[name] for name in before.ports} == dict(before.ports)
    assert len(set(after.ports.values())) == len(after.ports)
    assert set(after.names()) <= set(after.ports)


def test_connect_brings_kafka() -> None:
    """A worker keeps everything in Kafka."""
    assert EMPTY.grown(["connect"], None, None, lossy=False).names() == ("kafka-1", "connect-1")


def test_another_number_of_brokers_is_refused() -> None:
    """The data are spread over those that are there."""
    three = EMPTY.grown(["kafka"], 3, None, lossy=False)
    assert three.grown(["kafka"], 3, None, lossy=False) == three
    with pytest.raises(Refused, match="has 3 brokers") as caught:
        three.grown(["kafka"], 1, None, lossy=False)
    assert "reset" in caught.value.hint


def test_a_port_for_a_server_that_is_not_there_is_refused() -> None:
    """A misspelt name does not leave a server on another port than was meant."""
    one = EMPTY.grown(["kafka"], None, None, lossy=False)
    assert one.with_ports({"kafka-1": 9092}).ports["kafka-1"] == 9092
    with pytest.raises(Refused, match="no server kafka-2"):
        one.with_ports({"kafka-2": 9092})


def test_a_plan_is_kept(tmp_path: Path) -> None:
    """The next command knows what the last one made; what is no plan is refused, not overwritten."""
    assert plan.load(tmp_path) is None
    made = EMPTY.grown(KINDS, 3, 2, lossy=True).with_ports({})
    plan.save(tmp_path, made)
    assert plan.load(tmp_path) == made
    for broken in ("{", "[]", '{"kinds": []'):
        (tmp_path / plan.FILE).write_text(broken)
        with pytest.raises(Refused, match="not a sandbox's plan"):
            plan.load(tmp_path)


def test_versions_are_read_from_the_pom() -> None:
    """Each version that the sandbox and docker-compose.yml share has a name there."""
    named = {
        "kafka",
        "log4j",
        "debezium.postgres",
        "debezium.postgres.lossy",
        "debezium.mariadb",
        "mariadb",
        "postgres",
    }
    assert set(pom.versions()) == named
