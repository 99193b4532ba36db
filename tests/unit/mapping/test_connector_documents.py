"""Connector documents: strict, each finding with its line and column; and what follows from them and the mappings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain.connector import Kind
from figbridge.errors import ConfigurationError
from figbridge.mapping.compiler import Plan, compile_plan
from figbridge.mapping.connect.captures import captures
from figbridge.mapping.connect.document import milliseconds
from figbridge.mapping.connect.loader import load_connectors, parse_connector
from figbridge.mapping.loader import load_mappings, parse_mapping
from support.streams import ORDERS, STOCK

REPOSITORY = Path(__file__).parents[3]

GOOD = """\
connector: legacy
database:
  kind: postgres
  host: db.shop.internal
  name: shop
  user: cdc
  password: "${file:/run/secrets/shop.properties:password}"
log: {retention: 30d}
kafka: {servers: "kafka-1:9092,kafka-2:9092"}
"""
MARIA = GOOD.replace("kind: postgres", "kind: mariadb").replace("  name: shop\n", "")


def lines(text: str) -> list[str]:
    """Return the findings of a document."""
    with pytest.raises(ConfigurationError) as caught:
        parse_connector(text, "c.yaml")
    return [str(f) for f in caught.value.findings]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Give the worked example, compiled."""
    found = load_mappings(REPOSITORY / "mappings")
    return compile_plan(found.mappings, found.services)


def test_a_document_says_where_and_nothing_of_what() -> None:
    """What is not written has its default."""
    made = parse_connector(GOOD)
    assert (made.name, made.kind, made.port, made.heartbeat_ms) == ("legacy", Kind.POSTGRES, 5432, 2000)
    assert (made.retention_ms, made.replicas, made.snapshot) == (30 * 86_400_000, -1, "initial")
    assert parse_connector(MARIA).port == 3306


@pytest.mark.parametrize("name", ["connect/legacy.yaml", "connect/delivery.yaml", "connect/mariadb/legacy.yaml"])
def test_the_documents_of_the_example_load(name: str) -> None:
    """Whoever copies one begins with one that is right."""
    assert parse_connector((REPOSITORY / name).read_text(encoding="utf-8"), name).name in name


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("  host: db.shop.internal", "  hots: db", "c.yaml:4:3: DOC001 unknown key `hots` (did you mean `host`?)"),
        ("kind: postgres", "kind: oracle",
         "c.yaml:3:9: DOC004 `oracle` is none of postgres, mariadb (known: mariadb, postgres)"),
        ("retention: 30d", "retention: 30", "c.yaml:8:18: DOC005 `30` is not a span of time (write it like `30d`)"),
        ('"${file:/run/secrets/shop.properties:password}"', "hunter2",
         ("c.yaml:7:13: CON021 `password` is written out; a secret must be a reference"
         " (write ${file:/path/on/the/worker:key})")),
        ("  name: shop\n", "", "c.yaml:3:3: DOC002 `name` is missing (PostgreSQL: the database to connect to)"),
        ("log:", "more: {transforms.x.password: abc}\nlog:",
         ("c.yaml:8:31: CON021 `transforms.x.password` is written out; a secret must be a reference"
         " (write ${file:/path/on/the/worker:key})")),
        ("log:", "server_id: 7\nlog:", "c.yaml:1:1: DOC008 `server_id` is for MariaDB (take it out)"),
        ("  user: cdc", "  user: cdc\n  tls: {mode: verify-identity}",
         "c.yaml:7:15: DOC004 `verify-identity` is none of disable, require, verify-ca, verify-full"),
        ("log:", "signals: marks\nlog:", "c.yaml:8:10: DOC005 `marks` is not schema.table (write it with its schema)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(old: str, new: str, finding: str) -> None:
    """file:line:column, a code, and what to do."""
    assert old in GOOD
    assert finding in lines(GOOD.replace(old, new, 1))


def test_mariadb_has_no_database_to_connect_to() -> None:
    """Its tables are named with their database."""
    assert lines(GOOD.replace("kind: postgres", "kind: mariadb"))[0].startswith("c.yaml:5:9: DOC008")


@given(st.text(max_size=300))
def test_no_text_makes_the_loader_fail_otherwise(text: str) -> None:
    """Every text is a document or a list of findings."""
    found = None
    try:
        parse_connector(text)
    except ConfigurationError as error:
        found = error.findings
    assert found != ()


@given(st.integers(1, 10**6), st.sampled_from(["ms", "s", "m", "h", "d"]))
def test_spans_are_exact(number: int, unit: str) -> None:
    """A span is its number times its unit."""
    assert (
        milliseconds(f"{number}{unit}")
        == number * {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[unit]
    )


def test_two_documents_of_one_source_are_refused(tmp_path: Path) -> None:
    """Two connectors with one name would be one connector."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="NAME009"):
        load_connectors(tmp_path)


def test_a_folder_without_documents_is_a_finding(tmp_path: Path) -> None:
    """Nothing to do because of a wrong folder must not look like nothing to do."""
    with pytest.raises(ConfigurationError, match="CON020"):
        load_connectors(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no such directory"):
        load_connectors(tmp_path / "none")


def test_tables_and_columns_follow_from_the_mappings(plan: Plan) -> None:
    """Related tables before their roots, the columns that are read, FULL where `before: required` asks for it."""
    ((capture, _),) = captures([parse_connector(GOOD)], plan, "figbridge")
    assert set(capture.tables) == {t for t, p in plan.tables.items() if p.service is None}
    assert capture.tables.index("shop.carriers") < capture.tables.index("shop.order_lines")
    assert capture.tables.index("shop.order_lines") < capture.tables.index("shop.orders")
    assert set(capture.full_identity) == {"shop.customers", "shop.stock"}
    assert set(capture.columns["shop.stock"]) == {"item_cd", "on_hand", "reserved"}
    assert "guest_mail" not in capture.columns["shop.orders"]
    assert capture.log.settings["retention.ms"] == str(30 * 86_400_000)


def test_a_mapped_table_is_in_exactly_one_stream_of_its_source(plan: Plan) -> None:
    """Whatever the file splits, nothing is left out and nothing is captured twice."""
    text = GOOD + "streams: {sales: [orders, shipments], people: [customers], goods: [stock]}\n"
    made = [c for c, _ in captures([parse_connector(text)], plan, "figbridge")]
    assert [c.name for c in made] == ["legacy_sales", "legacy_people", "legacy_goods"]
    tables = [t for c in made for t in c.tables]
    assert sorted(tables) == sorted(t for t, p in plan.tables.items() if p.service is None)
    assert [c.slot for c in made] == [f"figbridge_{c.name}" for c in made]
    assert made[1].full_identity == ("shop.customers",)


@pytest.mark.parametrize(
    ("streams", "code", "words"),
    [
        ("{a: [orders], b: [shipments, customers, stock]}", "CON024", "share shop.orders"),
        ("{a: [orders, shipments, customers]}", "CON023", "`stock` is in no stream"),
        ("{a: [orders, shipments, customers, stock, order]}", "CON023", "there is no mapping `order`"),
        ("{a: [orders, shipments, customers, stock], b: [stock]}", "CON023", "is in two streams"),
        ("{a: [orders, shipments, customers, stock], b: []}", "CON023", "`b` has no mapping"),
    ],
)
def test_streams_that_would_part_what_belongs_together_are_refused(
    plan: Plan, streams: str, code: str, words: str
) -> None:
    """Only one log knows the order of what a mapping joins."""
    with pytest.raises(ConfigurationError) as caught:
        captures([parse_connector(f"{GOOD}streams: {streams}\n")], plan, "figbridge")
    assert [f.code for f in caught.value.findings if words in f.message] == [code]


def test_two_streams_do_not_say_one_word() -> None:
    """An id numbers what one transaction says twice: two logs would give two happenings one id."""
    plan = compile_plan([parse_mapping(text) for text in (ORDERS, STOCK.replace("Counted:", "Placed:"))])
    with pytest.raises(ConfigurationError, match="the streams sales and goods both say `Placed`") as caught:
        captures([parse_connector(f"{GOOD}streams: {{sales: [orders], goods: [stock]}}\n")], plan, "figbridge")
    assert [f.code for f in caught.value.findings] == ["CON032"]


def test_a_service_is_not_split(plan: Plan) -> None:
    """It has one table, its outbox."""
    text = GOOD.replace("connector: legacy", "connector: delivery") + "streams: {a: [orders]}\n"
    with pytest.raises(ConfigurationError, match=r"CON023.*has one table"):
        captures([parse_connector(text)], plan, "figbridge")


def test_a_source_that_nobody_speaks_about_is_refused(plan: Plan) -> None:
    """The hint names the sources that there are."""
    with pytest.raises(ConfigurationError, match=r"CON022.*`deliver`.*delivery"):
        captures([parse_connector(GOOD.replace("connector: legacy", "connector: deliver"))], plan, "figbridge")


def test_a_service_is_its_outbox(plan: Plan) -> None:
    """A service's connector captures one table and nothing of the monolith."""
    ((capture, _),) = captures([parse_connector(GOOD.replace("connector: legacy", "connector: delivery"))], plan, "f")
    assert (capture.tables, capture.full_identity) == (("delivery.outbox",), ())


def test_mariadb_has_a_history_that_is_kept_for_ever_and_a_number_of_its_own(plan: Plan) -> None:
    """Without its history a connector cannot read an old binlog; two readers with one number throw each other out."""
    ((one, _),) = captures([parse_connector(MARIA)], plan, "figbridge")
    ((other, _),) = captures([parse_connector(MARIA)], plan, "other")
    assert one.history is not None
    assert one.history.settings["retention.ms"] == "-1"
    assert one.full_identity == ()
    assert one.server_id != other.server_id
    assert 0 < one.server_id < 2**32
