"""A source that is split into streams: each log is read by itself, and together they tell what one log would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from figbridge import bootstrap
from figbridge.adapters.memory import MemoryLog
from figbridge.adapters.memory_authority import MemoryAuthorityStore
from figbridge.errors import ConfigurationError, Refused
from figbridge.mapping.compiler import Plan
from figbridge.operations.bridge import Bridge
from figbridge.operations.holes.plan import tables_of
from figbridge.operations.status import status
from figbridge.pipeline.edge import Split
from figbridge.ports import Outgoing
from figbridge.settings import ConnectCluster, Kafka, Settings
from support.monolith import Monolith, shop
from support.rig import NOON, TOPICS, facts_of, plan_of
from support.streams import DOCUMENT, ORDERS, STOCK, TABLES, heard, item, sale

SPLITS = {
    f"legacy_{stream}": Split("legacy", frozenset(f"shop.{table}" for table in tables))
    for stream, tables in TABLES.items()
}
LOGS = {stream: TOPICS.log(f"legacy_{stream}") for stream in TABLES}


def bridge(log: MemoryLog, splits: dict[str, Split] = SPLITS, epochs: dict[str, int] | None = None) -> Bridge:
    """Build a bridge of the two mappings."""
    plan = plan_of((ORDERS, STOCK))
    edge = bootstrap.edge(plan, TOPICS, epochs, splits)
    sources = bootstrap.sources(plan, TOPICS, splits)
    made = Bridge(plan, log, MemoryAuthorityStore(), edge, sources, "bridge")
    made.prepare(facts_of(plan), NOON, "test")
    return made


def works(made: Bridge) -> None:
    """Work until nothing more comes."""
    made.run(lambda: False, idle=lambda: True)


def history() -> list[Outgoing]:
    """Return transactions with rows of both streams' tables."""
    monolith = shop()
    monolith.fill(item(9))
    return [record for n in range(1, 4) for record in monolith.transaction(*sale(n, 9 - n))]


def ids(log: MemoryLog) -> list[str]:
    """Return the ids of every domain event."""
    topics = [t for t in log.topics() if ".domain." in t]
    places = log.ends(topics)
    return sorted(json.loads(r.value or b"")["id"] for p, end in places.items() for r in log.read(p, 0, end))


def test_streams_tell_what_one_log_tells_with_the_same_ids() -> None:
    """A happening has one id, however its source is split: a consumer that knows it drops it."""
    whole, split = MemoryLog(), MemoryLog()
    undivided, divided = bridge(whole, {}, {"legacy": 3}), bridge(split, SPLITS, {"legacy": 3})
    whole.append(history())
    for stream, topic in LOGS.items():
        split.append(list(heard(history(), TABLES[stream], topic)))
    works(undivided)
    works(divided)
    assert len(ids(whole)) == 6
    assert ids(split) == ids(whole)
    assert all(each.startswith("legacy.3:") for each in ids(split))
    seen = status(split, divided.store, "bridge", bootstrap.source_topics(split, TOPICS))
    assert (seen.suspects, seen.balanced) == ((), True)


def test_a_mapping_is_fed_from_the_log_of_its_stream_alone() -> None:
    """A row that stands in another stream's log says nothing: it would be said twice, and out of order."""
    log = MemoryLog()
    made = bridge(log)
    log.append([record._replace(topic=LOGS["goods"]) for record in history()])
    works(made)
    assert len(ids(log)) == 3
    assert all("stock" in each for each in ids(log))


def test_each_stream_stands_by_itself_in_the_status() -> None:
    """Where it stands and how far it is behind is told for each log."""
    log = MemoryLog()
    made = bridge(log)
    log.append(list(heard(history(), TABLES["goods"], LOGS["goods"])))
    found = status(log, made.store, "bridge", bootstrap.source_topics(log, TOPICS))
    assert {s.source: s.records_behind for s in found.sources} == {"legacy_sales": 0, "legacy_goods": 9}


def test_a_suspect_of_a_stream_is_looked_for_in_the_streams_tables() -> None:
    """One without known tables may miss rows of any table of its connector, and of no other one's."""
    plan = plan_of((ORDERS, STOCK))
    edge = bootstrap.edge(plan, TOPICS, splits=SPLITS)
    assert tables_of(plan, edge, "legacy_goods") == ("shop.stock",)
    assert set(tables_of(plan, edge, "legacy")) == set(plan.tables)
    assert edge.source_of("legacy_goods") == edge.source_of("legacy") == "legacy"


@pytest.mark.parametrize(("before", "after"), [({}, SPLITS), (SPLITS, {})])
def test_a_log_is_not_left_half_read(before: dict[str, Split], after: dict[str, Split]) -> None:
    """Splitting a source, or putting it together, waits until the old logs are read to their ends."""
    log = MemoryLog()
    works(bridge(log, before))
    monolith = Monolith(shop().tables, topic=LOGS["sales"] if before else TOPICS.log("legacy"))
    log.append(monolith.transaction(sale(1, 0)[0]))
    works(bridge(log, before))
    bridge(log, after)
    log.append(monolith.transaction(sale(2, 0)[0]))
    with pytest.raises(Refused, match="read no longer") as refused:
        bridge(log, after)
    assert refused.value.code == "STM001"


def test_a_log_that_the_group_never_read_is_not_left_behind() -> None:
    """A new group may begin with the streams, whatever others read."""
    log = MemoryLog()
    log.create(TOPICS.log("legacy"))
    log.append(history())
    bridge(log)


def settings(folder: Path, document: str = DOCUMENT) -> Settings:
    """Return settings whose connector document is this one."""
    (folder / "connect").mkdir()
    (folder / "connect" / "legacy.yaml").write_text(document, encoding="utf-8")
    (folder / "mappings").mkdir()
    for name, text in {"orders": ORDERS, "stock": STOCK}.items():
        (folder / "mappings" / f"{name}.yaml").write_text(text, encoding="utf-8")
    connect = ConnectCluster(url="http://127.0.0.1:1", documents=folder / "connect")
    brokers = Kafka(servers="127.0.0.1:1")
    return Settings(mappings=folder / "mappings", data=folder, log="kafka", kafka=brokers, connect=connect)


def test_the_bridge_knows_the_streams_by_the_connector_documents(tmp_path: Path) -> None:
    """What the connectors are made of is what the bridge reads: there is no second list to keep in step."""
    told = settings(tmp_path)
    plan: Plan = bootstrap.plan(bootstrap.documents(told.mappings))
    assert bootstrap.splits(plan, told) == SPLITS
    assert bootstrap.sources(plan, TOPICS, SPLITS) == {topic: f"legacy_{stream}" for stream, topic in LOGS.items()}
    assert bootstrap.starts(told, ["legacy_goods=7"]) == {LOGS["goods"]: 7}
    assert bootstrap.splits(plan, told.model_copy(update={"connect": None})) == {}
    assert bootstrap.splits(plan, told.model_copy(update={"log": "embedded"})) == {}


def test_streams_that_do_not_fit_the_mappings_stop_the_bridge(tmp_path: Path) -> None:
    """A document that `connectors plan` would refuse is refused by the bridge too."""
    told = settings(tmp_path, DOCUMENT.replace("goods: [stock]", "goods: []"))
    with pytest.raises(ConfigurationError, match="CON023"):
        bootstrap.starts(told, ["earliest"])
