"""Services, declared facts and catalogues of tables: from nodes to values."""

from __future__ import annotations

from collections.abc import Mapping as Map

from figbridge.domain.fact import Fact, LocalCopy
from figbridge.errors import Place
from figbridge.mapping import model as m
from figbridge.mapping.document import FactForm, FactsForm, OutboxColumnsForm, ServiceForm, TablesForm
from figbridge.mapping.nodes import Findings, MapNode, Scalar, did_you_mean
from figbridge.mapping.parse_form import validate
from figbridge.mapping.rules_types import TableColumn, Tables


def build_service(root: MapNode, findings: Findings) -> m.Service | None:
    """Make the service of a document's nodes, None with findings."""
    form, _ = validate(ServiceForm, root, findings)
    if form is None:
        return None
    columns = form.outbox.columns
    return m.Service(
        name=str(form.service),
        version=form.version,
        table=str(form.outbox.table),
        key=str(form.outbox.key),
        columns={name: str(getattr(columns, name)) for name in OutboxColumnsForm.model_fields},
        events=tuple(
            m.ServiceEvent(str(name), str(event.fact), str(event.aggregate), name.place)
            for name, event in form.events.items()
        ),
        place=form.place,
    )


def build_facts(root: MapNode, findings: Findings) -> tuple[tuple[str, ...], tuple[Fact, ...], Map[str, Place]] | None:
    """Make the systems, the facts and their places of a document's nodes, None with findings."""
    before = len(findings)
    form, _ = validate(FactsForm, root, findings)
    if form is None:
        return None
    for fact in form.facts.values():
        for system in (fact.authority, fact.successor):
            if system and system not in form.systems:
                hint = did_you_mean(system, form.systems)
                findings.add(system.place, "NAME007", f"no system `{system}` in `systems`", hint)
    if len(findings) > before:
        return None
    facts = tuple(_fact(name, fact) for name, fact in form.facts.items())
    return tuple(map(str, form.systems)), facts, {str(name): name.place for name in form.facts}


def _fact(name: Scalar, form: FactForm) -> Fact:
    return Fact(
        name=str(name),
        record=str(form.record),
        authority=str(form.authority),
        successor=str(form.successor) or None,
        rule=str(form.rule),
        consumers=tuple(map(str, form.consumers)),
        copies=tuple(LocalCopy(str(c.system), str(c.purpose), str(c.staleness)) for c in form.copies),
    )


def build_tables(root: MapNode, findings: Findings) -> Tables | None:
    """Make the catalogue of a document's nodes, None with findings."""
    form, _ = validate(TablesForm, root, findings)
    if form is None:
        return None
    return {
        str(table): tuple(
            TableColumn(str(name), str(column.type), column.nullable == "true", column.key)
            for name, column in columns.items()
        )
        for table, columns in form.tables.items()
    }
