"""Load the documents of a migration: mappings, services and facts, with every finding of all files in one error.

    mappings/orders.yaml  mappings/facts.yaml  mappings/services/delivery.yaml  mappings/schema/tables.yaml

The models of the documents and the grammar are imported when the first document is read: a command that reads none
starts without them.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from figbridge.domain.fact import Fact
from figbridge.errors import Place
from figbridge.mapping.model import Mapping, Service
from figbridge.mapping.nodes import Findings, MapNode
from figbridge.mapping.parse_yaml import read_nodes, read_text
from figbridge.mapping.rules_types import Tables

FACTS_FILE: Final = "facts.yaml"
SERVICES_DIRECTORY: Final = "services"
TABLES_FILE: Final = "schema/tables.yaml"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """What facts.yaml declares: the systems, the facts, and where each stands (`order.delivery` → place)."""

    systems: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    places: Map[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Documents:
    """Every document of a directory, each checked by itself; `facts` is empty when there is no facts.yaml."""

    mappings: tuple[Mapping, ...]
    facts: tuple[Fact, ...] = ()
    services: tuple[Service, ...] = ()
    systems: tuple[str, ...] = ()
    places: Map[str, Place] = field(default_factory=dict)


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def place(self) -> Place: ...


def parse_mapping(text: str, file: str = "mapping.yaml") -> Mapping:
    """Read a mapping from text; raises ConfigurationError with every finding."""
    return _parse(text, file, _mapping)


def parse_service(text: str, file: str = "service.yaml") -> Service:
    """Read a service from text; raises ConfigurationError with every finding."""
    return _parse(text, file, _service)


def parse_facts(text: str, file: str = FACTS_FILE) -> Facts:
    """Read the declared facts and systems from text; raises ConfigurationError with every finding."""
    return _parse(text, file, _facts)


def parse_tables(text: str, file: str = TABLES_FILE) -> Tables:
    """Read a catalogue of live tables from text; raises ConfigurationError with every finding."""
    return _parse(text, file, _tables)


def load_mapping(path: Path | str) -> Mapping:
    """Read a mapping from a file; raises ConfigurationError with every finding."""
    findings = Findings()
    mapping = _load(Path(path), _mapping, findings)
    findings.check()
    assert mapping is not None
    return mapping


def load_tables(directory: Path | str, kind: str = "") -> Tables | None:
    """Read the catalogue of live tables beside the mappings, None when there is none; raises ConfigurationError.

    A `kind` of database may have a file of its own, `tables.KIND.yaml`, where the same shop runs on two.
    """
    path = Path(directory) / TABLES_FILE
    own = path.with_suffix(f".{kind}.yaml")
    path = own if kind and own.exists() else path
    if not path.exists():
        return None
    findings = Findings()
    tables = _load(path, _tables, findings)
    findings.check()
    return tables


def load_mappings(directory: Path | str) -> Documents:
    """Read every mapping, service and fact of a directory; raises ConfigurationError with the findings of all files."""
    directory = Path(directory)
    findings = Findings()
    if not directory.is_dir():
        findings.add(Place(str(directory)), "YAML001", "there is no such directory")
        findings.check()
    paths = sorted(path for path in directory.glob("*.yaml") if path.name != FACTS_FILE)
    mappings = _load_all(paths, _mapping, findings)
    services = _load_all(sorted((directory / SERVICES_DIRECTORY).glob("*.yaml")), _service, findings)
    facts_path = directory / FACTS_FILE
    facts = _load(facts_path, _facts, findings) if facts_path.exists() else None
    _refuse_doubles("mappings", mappings, findings)
    _refuse_doubles("services", services, findings)
    findings.check()
    facts = facts or Facts()
    return Documents(mappings, facts.facts, services, facts.systems, facts.places)


def dump_mapping(mapping: Mapping) -> str:
    """Return the canonical document of a mapping: reading it gives the same mapping, up to places."""
    from figbridge.mapping.parse_dump import dump_mapping as dump

    return dump(mapping)


def _parse(text: str, file: str, make: Callable[[MapNode, Findings], T | None]) -> T:
    findings = Findings()
    root = read_nodes(text, file, findings)
    value = None if root is None else make(root, findings)
    findings.check()
    assert value is not None, "a document without findings has a value"
    return value


def _load(path: Path, make: Callable[[MapNode, Findings], T | None], findings: Findings) -> T | None:
    text = read_text(path, findings)
    root = None if text is None else read_nodes(text, str(path), findings)
    return None if root is None else make(root, findings)


def _load_all(paths: list[Path], make: Callable[[MapNode, Findings], T | None], findings: Findings) -> tuple[T, ...]:
    loaded = (_load(path, make, findings) for path in paths)
    return tuple(value for value in loaded if value is not None)


def _refuse_doubles(what: str, values: tuple[_Named, ...], findings: Findings) -> None:
    first: dict[str, Place] = {}
    for value in values:
        if value.name in first:
            hint = f"the first is {first[value.name].file}"
            findings.add(value.place, "NAME009", f"two {what} are named `{value.name}`", hint)
        first.setdefault(value.name, value.place)


def _mapping(root: MapNode, findings: Findings) -> Mapping | None:
    from figbridge.mapping.parse_document import build_mapping

    return build_mapping(root, findings)


def _service(root: MapNode, findings: Findings) -> Service | None:
    from figbridge.mapping.parse_services import build_service

    return build_service(root, findings)


def _facts(root: MapNode, findings: Findings) -> Facts | None:
    from figbridge.mapping.parse_services import build_facts

    found = build_facts(root, findings)
    return found and Facts(*found)


def _tables(root: MapNode, findings: Findings) -> Tables | None:
    from figbridge.mapping.parse_services import build_tables

    return build_tables(root, findings)
