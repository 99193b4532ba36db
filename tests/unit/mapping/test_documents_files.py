"""Files and directories of documents: mappings, services, facts, tables."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from documents_support import FIXTURES, REPOSITORY, SMALL, edited

from figbridge.domain.fact import Fact, LocalCopy
from figbridge.errors import ConfigurationError, Place
from figbridge.mapping.loader import (
    Facts,
    load_mapping,
    load_mappings,
    load_tables,
    parse_facts,
    parse_service,
    parse_tables,
)
from figbridge.mapping.model import ServiceEvent
from figbridge.mapping.rules_types import TableColumn

SERVICE = """\
service: delivery
version: 2
outbox: {table: delivery.outbox, key: id, columns: {id: id, type: type, aggregate: agg, subject: subj, payload: data}}
events:
  OrderReaddressed: {fact: order.delivery, aggregate: Order}
"""
FACTS = """\
systems: [legacy, delivery]
facts:
  order.delivery:
    record: the address row
    authority: legacy
    successor: delivery
    rule: the last change before packing counts
    consumers: [warehouse]
    copies: [{system: warehouse, purpose: labels, staleness: 1 minute}]
  order.status: {record: stat, authority: legacy, rule: the order's own counts}
"""


def lines(error: ConfigurationError) -> list[str]:
    """Return an error's findings, one line each."""
    return [str(finding) for finding in error.findings]


def test_a_service() -> None:
    """A service document becomes the service: its outbox and what it may say."""
    service = parse_service(SERVICE, "s.yaml")
    assert (service.name, service.version, service.table, service.key) == ("delivery", 2, "delivery.outbox", "id")
    assert service.columns == {"id": "id", "type": "type", "aggregate": "agg", "subject": "subj", "payload": "data"}
    assert service.events == (ServiceEvent("OrderReaddressed", "order.delivery", "Order", Place("s.yaml", 5, 3)),)


def test_a_service_with_mistakes() -> None:
    """A service's mistakes are found at their places."""
    text = edited(SERVICE, ("subject: subj", "sbject: subj"), ("aggregate: Order}", "aggregate: order}"))
    with pytest.raises(ConfigurationError) as caught:
        parse_service(text, "s.yaml")
    assert lines(caught.value) == [
        "s.yaml:3:52: DOC002 `subject` is missing",
        "s.yaml:3:89: DOC001 unknown key `sbject` (did you mean `subject`?)",
        "s.yaml:5:55: DOC005 `order` is not an UpperCamel name (write it like `OrderPlaced`)",
    ]


def test_facts() -> None:
    """facts.yaml becomes the domain's facts, with the systems and where each fact stands."""
    facts = parse_facts(FACTS, "f.yaml")
    assert facts == Facts(
        systems=("legacy", "delivery"),
        facts=(
            Fact(
                "order.delivery",
                "the address row",
                "legacy",
                "delivery",
                "the last change before packing counts",
                ("warehouse",),
                (LocalCopy("warehouse", "labels", "1 minute"),),
            ),
            Fact("order.status", "stat", "legacy", None, "the order's own counts"),
        ),
        places={"order.delivery": Place("f.yaml", 3, 3), "order.status": Place("f.yaml", 10, 3)},
    )


def test_only_a_known_system_can_own_a_fact() -> None:
    """Authority and successor are among the systems; who keeps a copy need not be one."""
    text = edited(FACTS, ("authority: legacy", "authority: legcy"), ("successor: delivery", "successor: deliverer"))
    with pytest.raises(ConfigurationError) as caught:
        parse_facts(text, "f.yaml")
    assert lines(caught.value) == [
        "f.yaml:5:16: NAME007 no system `legcy` in `systems` (did you mean `legacy`?)",
        "f.yaml:6:16: NAME007 no system `deliverer` in `systems` (did you mean `delivery`?)",
    ]


def test_tables() -> None:
    """A catalogue of tables says of each column its type, whether it may be null, and its place in the key."""
    tables = parse_tables("tables: {shop.a: {id: {type: bigint, nullable: false, key: 1}, b: {type: 'char(3)'}}}")
    assert tables == {"shop.a": (TableColumn("id", "bigint", nullable=False, key=1), TableColumn("b", "char(3)"))}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory of documents with a mapping, a service and facts."""
    (tmp_path / "services").mkdir()
    (tmp_path / "schema").mkdir()
    (tmp_path / "orders.yaml").write_text(SMALL)
    (tmp_path / "facts.yaml").write_text(FACTS)
    (tmp_path / "services" / "delivery.yaml").write_text(SERVICE)
    return tmp_path


def test_a_directory(directory: Path) -> None:
    """A directory gives its mappings, services, facts and systems; what lies in other folders is not read."""
    (directory / "schema" / "other.yaml").write_text("not a mapping")
    documents = load_mappings(directory)
    assert [mapping.name for mapping in documents.mappings] == ["orders"]
    assert [service.name for service in documents.services] == ["delivery"]
    assert [fact.name for fact in documents.facts] == ["order.delivery", "order.status"]
    assert documents.systems == ("legacy", "delivery")
    assert documents.places["order.status"] == Place(str(directory / "facts.yaml"), 10, 3)
    assert load_mapping(directory / "orders.yaml") == documents.mappings[0]


def test_a_directory_without_facts_and_services(directory: Path) -> None:
    """Facts, services and tables are optional."""
    (directory / "facts.yaml").unlink()
    (directory / "services" / "delivery.yaml").unlink()
    documents = load_mappings(str(directory))
    assert (documents.facts, documents.services, documents.systems) == ((), (), ())
    assert load_tables(directory) is None
    (directory / "schema" / "tables.yaml").write_text("tables: {}")
    assert load_tables(directory) == {}


def test_the_findings_of_all_files_are_one_error(directory: Path) -> None:
    """Every finding of every file is in one error, in the order of files and lines."""
    (directory / "a.yaml").write_text(edited(SMALL, ("version: 1", "version: x"), ("{money:", "{mony:")))
    (directory / "b.yaml").write_text("a: [")
    (directory / "facts.yaml").write_text(edited(FACTS, ("record: stat", "recrd: stat")))
    (directory / "services" / "delivery.yaml").write_text(edited(SERVICE, ("version: 2", "version: 2\nversion: 3")))
    (directory / "services" / "x.yaml").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(directory)
    assert [(Path(f.place.file).name, f.place.line, f.code) for f in caught.value.findings] == [
        ("a.yaml", 2, "DOC005"),
        ("a.yaml", 16, "DOC006"),
        ("b.yaml", 1, "YAML002"),
        ("facts.yaml", 10, "DOC002"),
        ("facts.yaml", 10, "DOC001"),
        ("delivery.yaml", 3, "YAML003"),
        ("x.yaml", 1, "YAML012"),
    ]


def test_a_document_has_one_name(directory: Path) -> None:
    """Two mappings, or two services, of one name are refused."""
    (directory / "z.yaml").write_text(SMALL)
    (directory / "services" / "z.yaml").write_text(SERVICE)
    with pytest.raises(ConfigurationError) as caught:
        load_mappings(directory)
    assert [(f.code, f.message) for f in caught.value.findings] == [
        ("NAME009", "two services are named `delivery`"),
        ("NAME009", "two mappings are named `orders`"),
    ]


def test_what_is_not_there(tmp_path: Path) -> None:
    """A file or directory that is not there is a finding."""
    for load, path in ((load_mapping, tmp_path / "no.yaml"), (load_mappings, tmp_path / "no")):
        with pytest.raises(ConfigurationError, match="YAML001"):
            load(path)


def test_the_worked_example_loads() -> None:
    """The mappings, services, facts and tables of the repository load."""
    documents = load_mappings(REPOSITORY / "mappings")
    assert {"orders", "customers", "stock", "shipments"} <= {mapping.name for mapping in documents.mappings}
    assert documents.facts
    assert documents.services
    assert load_tables(REPOSITORY / "mappings")


def test_the_design_is_a_file() -> None:
    """The fixture with the design's example loads from its file."""
    assert load_mapping(FIXTURES / "design.yaml").place == Place(str(FIXTURES / "design.yaml"), 2, 1)


def test_importing_the_loader_is_cheap() -> None:
    """The loader and the lint come without pydantic and lark, which only a document needs."""
    code = (
        "import sys, figbridge.mapping.loader, figbridge.mapping.rules\n"
        "print(sorted({'pydantic', 'lark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
