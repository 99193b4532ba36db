"""What a connector in Kafka Connect is told: everything follows from the capture, and nothing else gets in."""

from __future__ import annotations

import re

import pytest
from connect_support import capture, mariadb, topic
from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.connect.generated import generated, own, refused
from figbridge.adapters.debezium import config as debezium
from figbridge.adapters.engine.settings import EngineConfig, properties

NAMES = st.text(st.characters(codec="utf-8", exclude_characters=".,:|", exclude_categories=("Z", "C")), min_size=1)
TABLES = st.lists(st.builds("{}.{}".format, NAMES, NAMES), min_size=1, max_size=5, unique=True)


def each(pattern: str) -> list[str]:
    """Return the expressions of an include list, as Debezium takes them apart."""
    return pattern.split(",")


@given(TABLES, st.data())
def test_the_list_of_tables_matches_each_table_and_no_other(tables: list[str], data: st.DataObject) -> None:
    """Names are literal, in order: the snapshot follows the list, and a dot in a name is no wildcard."""
    told = generated(capture(tables=tuple(tables), columns={}, full_identity=()))["table.include.list"]
    expressions = each(told)
    assert [next(t for t in tables if re.fullmatch(e, t)) for e in expressions] == tables
    other = data.draw(TABLES.map(lambda found: found[0]).filter(lambda name: name not in tables))
    assert not any(re.fullmatch(e, other) for e in expressions)


@given(st.dictionaries(NAMES.map("shop.{}".format), st.lists(NAMES, min_size=1, max_size=4, unique=True), min_size=1))
def test_the_list_of_columns_matches_what_is_read_and_no_other(columns: dict[str, list[str]]) -> None:
    """A column that no mapping reads does not leave the database's log."""
    kept = {table: tuple(names) for table, names in columns.items()}
    told = each(generated(capture(tables=tuple(kept), columns=kept, full_identity=()))["column.include.list"])
    for table, names in kept.items():
        for name in names:
            assert any(re.fullmatch(e, f"{table}.{name}") for e in told)
        assert not any(re.fullmatch(e, f"{table}.{names[0]}x") for e in told if f"{names[0]}x" not in names)


def test_the_columns_of_the_signal_table_are_read() -> None:
    """Without them Debezium cannot read its own marks, and a snapshot never ends."""
    told = each(generated(capture(signal_table="shop.marks"))["column.include.list"])
    for column in ("id", "type", "data"):
        assert any(re.fullmatch(e, f"shop.marks.{column}") for e in told)


def test_all_columns_is_no_list() -> None:
    """Where the file says `columns: all`, Debezium is told nothing about columns."""
    assert "column.include.list" not in generated(capture(columns={}))


def test_connectors_of_one_worker_are_told_apart() -> None:
    """Two whose sources have one name wait two minutes for each other's figures otherwise."""
    made = [capture(topic_prefix=prefix) for prefix in ("shop", "other")]
    assert len({each.name for each in made}) == 1
    assert len({generated(each)["custom.metric.tags"] for each in made}) == 2


@pytest.mark.parametrize("made", [capture(), mariadb()], ids=["postgres", "mariadb"])
def test_what_the_issue_asks_for_is_generated(made) -> None:
    """The settings without which the log would lie, repeat, or forget."""
    told = generated(made)
    asked = {
        "provide.transaction.metadata": "true",
        "tombstones.on.delete": "false",
        "exactly.once.support": "required",
        "errors.tolerance": "none",
        "event.converting.failure.handling.mode": "fail",
        "decimal.handling.mode": "string",
        "skipped.operations": "none",
        "heartbeat.interval.ms": "2000",
        "tasks.max": "1",
        "transforms.one.replacement": "figbridge.legacy.log",
        "topic.creation.default.partitions": "1",
        "topic.creation.default.cleanup.policy": "delete",
        "topic.creation.default.retention.ms": "86400000",
    }
    assert {name: told[name] for name in asked} == asked
    for part in ("key", "value", "header"):
        assert told[f"{part}.converter.schemas.enable"] == "false"
        assert told[f"{part}.converter.replace.null.with.default"] == "false"


def test_both_ways_of_running_debezium_are_told_the_same_of_a_record() -> None:
    """A mapping must not see whether a record came through the engine or through Connect."""
    engine = properties(EngineConfig("legacy", "db", 5432, "cdc", "shop", ("shop.orders",)))
    connect = generated(capture())
    for name in (*debezium.SHAPE, *debezium.POSTGRES, "topic.prefix", "slot.name", "publication.name"):
        assert connect[name] == engine[name], name


def test_notifications_are_the_one_thing_beside_the_log() -> None:
    """The router takes every topic but theirs: they are no part of what the database said."""
    regex = generated(capture())["transforms.one.regex"]
    for name in ("legacy.shop.orders", "legacy.transaction", "__debezium-heartbeat.legacy", "legacy", "x\ny"[:1]):
        assert re.fullmatch(regex, name)
    assert not re.fullmatch(regex, "figbridge.legacy.notifications")


def test_only_postgres_has_a_slot_and_only_mariadb_a_history() -> None:
    """A setting of the other kind would be one that nobody knows."""
    postgres, maria = generated(capture()), generated(mariadb())
    assert postgres["replica.identity.autoset.values"] == "shop.orders:FULL"
    assert (postgres["slot.name"], postgres["publication.name"]) == ("figbridge_legacy", "figbridge_legacy")
    assert not {n for n in postgres if n.startswith("schema.history") or n == "database.server.id"}
    assert not {n for n in maria if n.startswith(("slot.", "publication.", "replica."))}
    assert maria["database.include.list"] == "shop"
    assert maria["schema.history.internal.kafka.topic"] == "figbridge.legacy.schemas"


def test_without_a_signal_table_nothing_is_written_to_the_database() -> None:
    """The default is read-only; with a table Debezium marks its snapshots in it."""
    plain, marked = generated(capture()), generated(capture(signal_table="shop.marks"))
    assert (plain["read.only"], "signal.data.collection" in plain) == ("true", False)
    assert ("read.only" in marked, marked["signal.data.collection"]) == (False, "shop.marks")


def test_security_settings_reach_every_client_of_debezium() -> None:
    """Signals and the history of schemas are read with the same account."""
    made = generated(mariadb(kafka_client={"security.protocol": "SASL_SSL"}))
    ends = {n for n, value in made.items() if value == "SASL_SSL"}
    assert ends == {
        "signal.consumer.security.protocol",
        "schema.history.internal.producer.security.protocol",
        "schema.history.internal.consumer.security.protocol",
    }


@given(st.dictionaries(st.sampled_from([*own(capture()), "max.batch.size", "poll.interval.ms"]), st.text()))
def test_more_never_replaces_what_is_generated(more: dict[str, str]) -> None:
    """What a file adds stands beside, never instead."""
    told = generated(capture(more=more))
    assert {**more, **own(capture())} == told


@pytest.mark.parametrize(
    "setting",
    [
        *own(capture()),
        "transforms.mine.type", "predicates", "value.converter.schema.registry.url", "message.key.columns",
        "table.exclude.list", "errors.log.enable", "topic.creation.groups", "unavailable.value.placeholder",
    ],
)  # fmt: skip
def test_a_file_may_not_change_the_shape_of_records(setting: str) -> None:
    """Each refused setting has its reason; an ordinary one is let through."""
    assert refused(setting, capture())
    assert not refused("max.batch.size", capture())
    assert not refused("producer.override.max.request.size", capture())


def test_slots_have_names_that_postgres_takes() -> None:
    """A topic prefix may hold dots and capitals; a slot may not."""
    assert capture(topic_prefix="Fig.prod-1").slot == "fig_prod_1_legacy"
    assert capture(log=topic("a$b\\c")).log.name == "a$b\\c"
    assert generated(capture(log=topic("a$1")))["transforms.one.replacement"] == "a\\$1"
