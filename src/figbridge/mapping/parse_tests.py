"""The tests beside a mapping: rows as Debezium would give them, and the events that must come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from figbridge.mapping import model as m
from figbridge.mapping.document import MappingForm, StepForm, TestForm
from figbridge.mapping.nodes import MapNode, Scalar, SeqNode, did_you_mean
from figbridge.mapping.parse_names import Scope

ANY_PARKED: Final = "any"
"""What `Expected.parked` says when a test only wants that something is parked."""

_INT: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None}


def value_of(node: Any) -> Any:
    """Type a value of a test as Debezium would give it: plain integers, true, false and null; all else is text."""
    match node:
        case MapNode():
            return {str(key): value_of(value) for key, value in node.items()}
        case SeqNode():
            return [value_of(value) for value in node]
        case Scalar(plain=True) if node in _WORDS:
            return _WORDS[node]
        case Scalar(plain=True) if _INT.fullmatch(node):
            return int(node)
        case _:
            return str(node)


def build_tests(form: MappingForm, nodes: Sequence[m.Node], scope: Scope) -> tuple[m.MappingTest, ...]:
    """Make the tests of a mapping document."""
    tables = {node.table for node in nodes} | {str(lookup.table) for lookup in form.lookup.values()}
    builder = _Tests(tables, scope)
    names: dict[str, Scalar] = {}
    for test in form.tests:
        if test.name in names:
            scope.findings.add(test.name.place, "NAME009", f"two tests named `{test.name}`")
        names[str(test.name)] = test.name
    return tuple(builder.test(test) for test in form.tests)


class _Tests:
    def __init__(self, tables: set[str], scope: Scope) -> None:
        self._tables, self._scope = tables, scope

    def test(self, form: TestForm) -> m.MappingTest:
        if bool(form.tx) == bool(form.txs):
            message = "a test has `tx` or `txs`, not both" if form.tx else "`tx` (or `txs`) is missing"
            self._scope.findings.add(form.place, "DOC008", message, "the steps of one transaction, or of several")
        given = [step for rows in form.given for step in self._rows("insert", rows)]
        transactions = form.txs or ([form.tx] if form.tx else [])
        return m.MappingTest(
            name=str(form.name),
            given=tuple(given),
            transactions=tuple(tuple(s for step in tx for s in self._step(step)) for tx in transactions),
            expect=self._expect(form),
            place=form.name.place,
        )

    def _step(self, form: StepForm) -> list[m.TestStep]:
        written = [(op, rows) for op in ("insert", "update", "delete") if (rows := getattr(form, op))]
        if len(written) + bool(form.truncate) != 1:
            message = "a step is one of insert, update, delete, truncate"
            self._scope.findings.add(form.place, "DOC008", message, "write `insert: {TABLE: {COLUMN: VALUE}}`")
            return []
        if form.truncate:
            table = self._table(form.truncate)
            return [m.TestStep("truncate", table, {}, form.place)] if table else []
        op, rows = written[0]
        return self._rows(op, rows)

    def _rows(self, op: str, rows: dict[Scalar, dict[Scalar, Any]]) -> list[m.TestStep]:
        steps = []
        for name, cells in rows.items():
            table = self._table(name)
            if table:
                typed = {str(column): self._cell(op, node) for column, node in cells.items()}
                steps.append(m.TestStep(op, table, typed, name.place))
        return steps

    def _cell(self, op: str, node: Any) -> Any:
        value = value_of(node)
        return tuple(value) if op == "update" and isinstance(value, list) and len(value) == 2 else value

    def _table(self, name: Scalar) -> str | None:
        """Return the full name of a table that is written in full or, if only one has it, by its last part."""
        found = [t for t in sorted(self._tables) if t == name] or [
            t for t in sorted(self._tables) if t.rpartition(".")[2] == name
        ]
        if len(found) == 1:
            return found[0]
        if found:
            message = f"`{name}` may be {' or '.join(found)}"
            self._scope.findings.add(name.place, "NAME005", message, "write the full name")
        elif not self._scope.broken_relations and not self._scope.mute_links:
            hint = did_you_mean(name, self._tables | {t.rpartition(".")[2] for t in self._tables})
            self._scope.findings.add(name.place, "NAME005", f"the mapping has no table `{name}`", hint)
        return None

    def _expect(self, form: TestForm) -> tuple[m.Expected, ...]:
        if isinstance(form.expect, Scalar):
            return (m.Expected("", {}, ANY_PARKED, form.expect.place),) if form.expect == "parked" else ()
        found = []
        for item in form.expect:
            if len(item) != 1:
                self._scope.findings.add(
                    form.place, "DOC008", "an expected event is one type with its data", "write `- EventType: {…}`"
                )
            found += [self._expected(name, node) for name, node in item.items()]
        return tuple(found)

    def _expected(self, name: Scalar, node: Any) -> m.Expected:
        if name == "parked":
            if not isinstance(node, Scalar):
                self._scope.findings.add(node.place, "DOC003", "expected a reason as text")
            return m.Expected("", {}, str(node), name.place)
        known: Iterable[str] = self._scope.events
        if name not in known and not self._scope.mute_events:
            self._scope.findings.add(
                name.place, "NAME008", f"the mapping has no event `{name}`", did_you_mean(name, known)
            )
        if not isinstance(node, MapNode):
            self._scope.findings.add(node.place, "DOC003", "expected a map with the event's data")
            return m.Expected(str(name), {}, "", name.place)
        return m.Expected(str(name), value_of(node), "", name.place)
