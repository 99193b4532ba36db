"""Run the tests beside mappings through the real pipeline, over rows made as Debezium gives them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from figbridge.domain.change import Key, Op, Position, Row, RowChange
from figbridge.mapping.compiler import Plan, TablePlan
from figbridge.mapping.model import Expected, Mapping, MappingTest, TestStep
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.memory import NoState, RowMemory
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.translate import Translated, Translator

ANY = "any"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test gave: no difference when it passed."""

    mapping: str
    test: MappingTest
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Say whether the test passed."""
        return not self.differences


def run_tests(plan: Plan, mappings: Iterable[Mapping]) -> list[Outcome]:
    """Run every test of every mapping; each test starts with an empty database."""
    return [Outcome(m.name, test, run_test(plan, m, test)) for m in mappings for test in m.tests]


def run_test(plan: Plan, mapping: Mapping, test: MappingTest) -> tuple[str, ...]:
    """Run one test; returns how what came differs from what was expected."""
    bench = Bench(plan)
    for step in test.given:
        bench.know(step)
    came: list[Translated] = []
    for number, steps in enumerate(test.transactions, start=1):
        came.append(bench.transaction(steps, number))
    return tuple(_differences(mapping, test.expect, came))


class Bench:
    """A small database without a server: rows in, row changes out, as the source log would carry them."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rows: dict[tuple[str, Key], dict[str, Any]] = {}
        state = NoState()
        self._memory = RowMemory(plan, state)
        self._translator = Translator(plan, self._memory, ParkingLot(plan, state), "legacy")
        self._offset = 0

    def know(self, step: TestStep) -> None:
        """Let a row be there before the test, and be remembered as after a snapshot."""
        table = self._plan.tables[step.table]
        cells = self._full(table, step.cells)
        key = self._key(table, cells)
        self._rows[step.table, key] = cells
        self._memory.remember(table, key, None, table.shape.row(cells))

    def transaction(self, steps: Sequence[TestStep], number: int) -> Translated:
        """Commit the steps as one transaction; returns what it says."""
        rows = [change for step in steps for change in self._step(step)]
        end = Position("test", 0, self._next())
        return self._translator.translate(Transaction(str(number), str(number), number * 1_000_000, end, rows))

    def _step(self, step: TestStep) -> Iterator[RowChange]:
        table = self._plan.tables[step.table]
        match step.op:
            case "insert":
                cells = self._full(table, step.cells)
                self._rows[step.table, self._key(table, cells)] = cells
                yield self._change(table, Op.CREATE, None, table.shape.row(cells), None)
            case "update":
                yield from self._update(table, step)
            case "delete":
                yield self._delete(table, step)
            case _:
                for (name, key), cells in list(self._rows.items()):
                    if name == step.table:
                        del self._rows[name, key]
                        yield self._change(table, Op.DELETE, table.shape.row(cells), None, None)

    def _update(self, table: TablePlan, step: TestStep) -> Iterator[RowChange]:
        was = {c: v[0] if isinstance(v, tuple) else v for c, v in step.cells.items()}
        now = {c: v[1] if isinstance(v, tuple) else v for c, v in step.cells.items()}
        pairs = {c for c, v in step.cells.items() if isinstance(v, tuple)}
        old_key = self._key(table, was)
        if (step.table, old_key) not in self._rows:
            self.know(TestStep("insert", step.table, was, step.place))
        before = {**self._rows.pop((step.table, old_key)), **{c: was[c] for c in pairs}}
        after = {**before, **{c: v for c, v in now.items() if c in before}}
        new_key = self._key(table, after)
        self._rows[step.table, new_key] = after
        b, a = table.shape.row(before), table.shape.row(after)
        if new_key == old_key:
            yield self._change(table, Op.UPDATE, None if table.last_known else b, a, None)
        else:
            yield self._change(table, Op.DELETE, b, None, new_key)
            yield self._change(table, Op.CREATE, None, a, old_key)

    def _delete(self, table: TablePlan, step: TestStep) -> RowChange:
        key = self._key(table, dict(step.cells))
        if (step.table, key) not in self._rows:
            self.know(step)
        before = {**self._rows.pop((step.table, key)), **step.cells}
        return self._change(table, Op.DELETE, table.shape.row(before), None, None)

    def _full(self, table: TablePlan, cells: Any) -> dict[str, Any]:
        """Return a whole row: columns that a test does not name are null, as in an INSERT."""
        return {**dict.fromkeys(table.shape.columns), **{c: v for c, v in cells.items() if c in table.shape.columns}}

    def _key(self, table: TablePlan, cells: Any) -> Key:
        return tuple(cells.get(c) for c in table.shape.key)

    def _next(self) -> int:
        self._offset += 1
        return self._offset

    def _change(self, table: TablePlan, op: Op, before: Row | None, after: Row | None, moved: Key | None) -> RowChange:
        offset = self._next()
        return RowChange(table.shape, op, before, after, ("test", 0, offset), "1", "run", moved)


def _differences(mapping: Mapping, expected: Sequence[Expected], came: Sequence[Translated]) -> Iterator[str]:
    events = [c for t in came for c in t.claims if c.event is not None and c.mapping == mapping.name]
    parked = {k: p for t in came for k, p in t.parked.items() if k.startswith(mapping.name)}
    wanted = [e for e in expected if e.type]
    for e in (e for e in expected if not e.type):
        if not any(e.parked == ANY or e.parked in (p.code, k) or e.parked in p.why for k, p in parked.items()):
            yield f"expected a parked key ({e.parked}), {_parked(parked)}"
    if parked and not any(not e.type for e in expected):
        yield f"unexpected: {_parked(parked)}"
    for i, want in enumerate(wanted):
        if i >= len(events):
            yield f"expected {want.type}, but nothing more came"
            continue
        claim = events[i]
        assert claim.event is not None
        if claim.event.type != want.type:
            yield f"expected {want.type} as event {i + 1}, got {claim.event.type}"
            continue
        data = {**claim.event.data, **({"id": claim.subject} if "id" in want.data else {})}
        yield from (f"{want.type}{where}" for where in _mismatches(want.data, data, ""))
    for claim in events[len(wanted) :]:
        assert claim.event is not None
        yield f"unexpected {claim.event.type} of {claim.subject}: {dict(claim.event.data)}"


def _parked(parked: dict[str, Any]) -> str:
    return "; ".join(f"{k} is parked: {p.code} {p.why}" for k, p in parked.items()) or "nothing is parked"


def _mismatches(want: Any, got: Any, where: str) -> Iterator[str]:
    """Yield where data differs from what came; maps may have more keys than are named, lists not more items."""
    if isinstance(want, dict) and isinstance(got, dict):
        for key, value in want.items():
            if key not in got:
                yield f"{where}.{key}: missing, expected {value!r}"
            else:
                yield from _mismatches(value, got[key], f"{where}.{key}")
    elif isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for i, (a, b) in enumerate(zip(want, got, strict=True)):
            yield from _mismatches(a, b, f"{where}[{i}]")
    elif isinstance(got, dict) and set(got) == {"amount", "currency"} and str(want) == got["amount"]:
        return  # money may be written as its amount
    elif want != got:
        yield f"{where}: expected {want!r}, got {got!r}"
