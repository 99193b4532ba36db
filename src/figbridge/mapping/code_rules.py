"""Generate what judges one aggregate's change in one transaction. The functions are straight-line: which columns
differ, what they mean, which rules fire, what each fact says.

`judge(u, T)` judges any unit. `update(b, a, u)` judges the commonest one: the root row was updated and nothing else
of the aggregate was touched. There is one of it for each set of values that may differ, written when the first such
update comes: what cannot be true of that set is left out (docs/adr/0024).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from contextlib import contextmanager
from typing import Any

from figbridge.domain.change import RowShape
from figbridge.mapping import compare, judged, uses
from figbridge.mapping.code_claims import ClaimCode
from figbridge.mapping.code_conditions import ConditionCode, Existence, Variables
from figbridge.mapping.code_values import ValueCode
from figbridge.mapping.guards import guard
from figbridge.mapping.model import Column, EventRule, Kind, Leaf, Lookup, Mapping, Rule, Told, Unsure
from figbridge.mapping.source import Source
from figbridge.mapping.unit import NOTHING
from figbridge.mapping.uses import Value
from figbridge.mapping.when import Condition, Is, IsNull, atoms

_ROOT = Existence("ap", "di", "rk")
_ROW = Existence("rap", "rdi", "rrk")
_THERE = Existence("False", "False", "False")


class RuleCode:
    """Generate the judging code of one mapping."""

    def __init__(
        self,
        mapping: Mapping,
        shapes: Map[str, RowShape],
        refs: Map[str, str],
        source: Source,
        *,
        trace: bool = False,
        differing: int | None = None,
    ) -> None:
        self.mapping = mapping
        self.source = source
        self.trace = trace
        self.differing = differing
        """The bits of values that may differ, for an `update`; None for `judge`, which finds them itself."""
        self.plain = differing is not None
        self.values = uses.values(mapping)
        self.order = list(self.values)
        self.reading = ValueCode(mapping, shapes, refs, source)
        self.inline = {
            row: ValueCode(mapping, shapes, refs, source, row=row, side=side) for row, side in (("b", "0"), ("a", "1"))
        }
        self.conditions = ConditionCode(source, self.values.__getitem__)
        self._functions: dict[str, str] = {}
        self.top = [v for v in self.values.values() if not v.path or v.rows]
        self.bit = {v.full: 1 << i for i, v in enumerate(self.top)}
        self.rows_bit = 1 << len(self.top)
        """Set when rows of a relation that a rule judges one by one came, went or were re-keyed."""
        self.judged_paths = {event.path for event in mapping.events if event.path}
        source.names.update(
            NOTHING=NOTHING, Park=judged.Park, all_rows_changed=judged.all_rows_changed, minus=compare.minus,
            reason=judged.reason, rows_changed=judged.rows_changed, touched_bits=judged.touched_bits,
            unmoved=compare.unmoved, unsure=judged.unsure,
        )  # fmt: skip
        self.claims = ClaimCode(self)

    def function(self, value: Value) -> str:
        """Return the function of a value, written when it is first asked for."""
        if value.full not in self._functions:
            self._functions[value.full] = self._function(value)
        return self._functions[value.full]

    def read(self, value: Value, row: str, side: str) -> str:
        """Return the expression that reads a value from a row."""
        reader = value.readers[0][1]
        whole = not value.rows and not value.listed and not value.path
        if self.plain and row in self.inline and whole and isinstance(reader, Leaf):
            return self.inline[row].expression(reader, "")
        return f"{self.function(value)}({row}, u, {side})"

    def may_differ(self, bits: int) -> str:
        """Return the condition that one of these values may differ: "True" or "False" where that is known."""
        if self.differing is None:
            return f"m & {bits}"
        return str(bool(self.differing & bits))

    @contextmanager
    def where(self, condition: str) -> Iterator[None]:
        """Write what follows under a condition; one that is always true needs no line."""
        if condition == "True":
            yield
            return
        with self.source.block(f"if {condition}:"):
            yield

    def _function(self, value: Value) -> str:
        """Write the function of a value; for one that lists rows, the function of one row."""
        if value.rows:
            return self.reading.row_object(value.readers, value.path)
        reader = value.readers[0][1]
        if value.listed:
            return self.reading.row_object(reader.fields, value.listed)  # type: ignore[union-attr] # an Each
        return self.reading.function(reader, value.path)

    # --- which values may have changed ---------------------------------------------------------

    def difference(self, path: str) -> str:
        """Write a function that compares two images of a node's row and gives the bits of values to look at."""
        name = "differ" if not path else self.source.fresh("d")
        with self.source.function(f"def {name}(b, a):"):
            self.source.line("m = 0")
            for column, bits in self.bits_by_column(path).items():
                field = self.reading.field(Column(path, column))
                self.source.line(f"if b.{field} != a.{field}: m |= {bits}")
            self.source.line("return m")
        return name

    def bits_by_column(self, path: str) -> dict[str, int]:
        """Return, for each column of a node that a value depends on, the bits of those values."""
        found: dict[str, int] = {}

        def add(names: Iterable[str], bits: int) -> None:
            found.update({name: found.get(name, 0) | bits for name in names})

        for value in self.top:
            bit = self.bit[value.full]
            add((column.name for column in value.columns if column.path == path), bit)
            for node in map(self.mapping.node, sorted(value.paths)):
                if node.kind is Kind.POINTED and node.parent == path:
                    add(node.link, bit)
                elif node.kind is Kind.BELONGS and node.path == path and not value.own:
                    add(node.link, bit)  # a row that comes to another parent reads other cells above it
        if path in self.judged_paths:
            add(self.mapping.node(path).key, self.rows_bit)
        return found

    def bits_of_path(self, path: str) -> int:
        """Return the bits of everything that turns on a relation's rows being there."""
        rows = self.rows_bit if path in self.judged_paths else 0
        return rows | sum(self.bit[v.full] for v in self.top if path in v.paths)

    # --- the functions -------------------------------------------------------------------------

    def judge(self) -> None:
        """Write `judge(u, T)`; T collects (rule, outcome) when tracing."""
        line, block = self.source.line, self.source.block
        every = (1 << len(self.top)) - 1
        root = self.difference("")
        paths = {n.path: (self.difference(n.path), self.bits_of_path(n.path)) for n in self.mapping.nodes[1:]}
        touched = self.source.constant(paths)
        with self.source.function("def judge(u, T=None):"):
            line("b = u.was; a = u.now; rk = u.rekeyed; at = ''")
            line("ap = b is None; di = a is None")
            line(f"m = {every} if ap or di else 0 if b is a else {root}(b, a)")
            line(f"if u.touched: m |= touched_bits(u.touched, {touched}, globals())")
            with block("if not m and not rk:"):
                line("return ()")
            line("R = b if di else a; S = 0 if di else 1; out = []; spoken = 0; fired = 0")
            self._body()

    def update(self) -> None:
        """Write `update(b, a, u)`; `u` is not looked at in a mapping without relations and lookups."""
        with self.source.function("def update(b, a, u):"):
            self.source.line("at = ''; out = []; spoken = 0; fired = 0")
            self._body()

    def _body(self) -> None:
        line, block = self.source.line, self.source.block
        subject = self.subject(self.row)
        line(f"sid = {subject}")
        if subject.startswith("None"):
            with block("if sid is None:"):
                line("return Park('UNRESOLVED', 'the id of the aggregate is not known')")
        if not self.plain:
            with block("if u.before_missing and not ap:"):
                line("return Park('BEFORE_MISSING', 'the record has no image of the row before the change')")
        with block("try:"):
            for value in self.top:
                self._evaluate(value)
            for never in self.mapping.never:
                self._rule(never.when, f"never {never.text}", self._never, never)
            for event in self.mapping.events:
                if event.path:
                    self._event_per_row(event)
                else:
                    self._rule(event.when, event.type, self._fires, event)
            self.claims.silent(self.mapping.silent)
            self.claims.states()
        with block("except Unreadable as e:"):
            line("return Park('UNREADABLE', at + ': ' + str(e))")
        line("return out")

    def surely_known(self, value: Value) -> bool:
        """Say whether a value of the row after a plain update is known: its images are whole (pipeline/plain.py)."""
        reader = value.readers[0][1]
        own = not value.rows and not value.paths and isinstance(reader, Leaf) and not isinstance(reader, Lookup)
        return self.plain and own

    def subject(self, row: str) -> str:
        """Return the expression of the aggregate's id: None when a column of it is not known."""
        parts = [c for c in self.mapping.id if isinstance(c, Column)]
        if self.plain:  # a cell of the key is there
            parts = [c for c in parts if c.name not in self.mapping.root.key]
        cells = [f"{row}.{self.reading.field(c)}" for c in parts]
        known = " or ".join(f"{c} is U or {c} is None" for c in cells) or "False"
        text = " + ".join(
            f"str({row}.{self.reading.field(c)}).rstrip()" if isinstance(c, Column) else self.source.constant(c)
            for c in self.mapping.id
        )
        return text if known == "False" else f"None if {known} else {text}"

    @property
    def side(self) -> str:
        """Return the side of `row`."""
        return "1" if self.plain else "S"

    @property
    def row(self) -> str:
        """Return the name of the root's row: the one after, or the one that was there last."""
        return "a" if self.plain else "R"

    @property
    def existence(self) -> Existence:
        """Return the names that say whether the root appears, disappears or is re-keyed."""
        return _THERE if self.plain else _ROOT

    def variables(self, full: str) -> Variables:
        """Return the names of the variables of a value."""
        i = self.order.index(full)
        if self.plain and full in self.bit:
            untouched = self.values[full].listed and self.values[full].own  # no row of a relation was
            if untouched or self.may_differ(self.bit[full]) == "False":
                return Variables(f"w{i}", f"n{i}", "False")
        return Variables(f"w{i}", f"n{i}", f"c{i}")

    def _evaluate(self, value: Value) -> None:
        """Set the variables of a value: before, now, changed. One that did not change is read when a rule looks."""
        line, block, v = self.source.line, self.source.block, self.variables(value.full)
        if v.changed == "False":
            return
        name, may = self.source.constant(value.full), self.may_differ(self.bit[value.full])
        with self.where(may):
            line(f"at = {name}")
            if value.listed:
                path = self.source.constant(value.listed)
                rows = "rows_changed" if value.own else "all_rows_changed"
                line(f"{v.was}, {v.now}, {v.changed} = {rows}(u, {path}, {self.function(value)})")
                if not self.plain:
                    line(f"if ap or di: {v.changed} = False")
            else:
                line(f"{v.now} = {'' if self.plain else 'ABSENT if di else '}{self.read(value, 'a', '1')}")
                line(f"try: {v.was} = {'' if self.plain else 'ABSENT if ap else '}{self.read(value, 'b', '0')}")
                line(f"except Unreadable: {v.was} = U")
                there = "" if self.plain else "False if ap or di else "
                line(f"{v.changed} = {there}{self._compared(value, v)}")
        if may != "True":
            with block("else:"):
                line(f"{v.was} = {v.now} = None; {v.changed} = False")

    def _compared(self, value: Value, v: Variables) -> str:
        """Return the expression that compares both sides; scalars are equal when they are the same."""
        if uses.is_scalar(value):
            now = "" if self.surely_known(value) else f" or {v.now} is U"
            return f"None if {v.was} is U{now} else {v.was} != {v.now}"
        return f"differs({v.was}, {v.now})"

    def look(self, condition: Condition) -> None:
        """Read what a condition looks at and did not change."""
        looked = _looked_at(condition)
        for full in self.order:
            value = self.values[full]
            if full in looked and full in self.bit and not value.listed:
                v, may, at = self.variables(full), self.may_differ(self.bit[full]), self.source.constant(full)
                if may != "True":
                    with self.where("True" if may == "False" else f"not {may}"):
                        self.source.line(f"at = {at}; {v.was} = {v.now} = {self.read(value, self.row, self.side)}")

    # --- rules ---------------------------------------------------------------------------------

    def _rule(self, condition: Condition, what: str, then: Any, rule: Rule | EventRule) -> None:
        """Judge one condition, only when something that could make it true has changed."""
        line, block = self.source.line, self.source.block
        bits = guard(condition, lambda n: 0 if self.variables(n).changed == "False" else self.bit[n], plain=self.plain)
        code = self.conditions.expression(condition, self.variables, self.existence)
        may = "True" if bits is None or self.trace else self.may_differ(bits)
        if code == "False" or may == "False":
            return
        with self.where(may):
            self.look(condition)
            line(f"x = {code}")
            self.traced(what)
            with block("if x:"):
                then(rule)
            self._unknown(condition, what)

    def _never(self, rule: Rule | EventRule) -> None:
        assert isinstance(rule, Rule)
        self.source.line(f"return Park('NEVER', {self.source.constant(rule.text)})")

    def _fires(self, rule: Rule | EventRule) -> None:
        assert isinstance(rule, EventRule)
        self._tell(rule, [self._told(t) for t in rule.tell])

    def _tell(self, rule: EventRule, told: list[str]) -> None:
        k = self.source.constant
        self.source.line(f"at = {k(rule.type)}")
        self.source.line(f"d = {{{', '.join(f'{k(t.name)}: {x}' for t, x in zip(rule.tell, told, strict=True))}}}")
        self.claims.event(rule)

    def traced(self, what: str) -> None:
        """Note what a rule gave, when tracing."""
        if self.trace and not self.plain:
            self.source.line(f"if T is not None: T.append(({self.source.constant(what)}, x))")

    def _unknown(self, condition: Condition, what: str) -> None:
        """Park on unknown, naming what is missing, unless the mapping says to skip."""
        looked = _looked_at(condition)
        names = [(n, self.variables(n)) for n in uses.named_by(condition)]
        cells = "".join(
            f"({self.source.constant(n)}, {v.was}, {v.now}), " for n, v in names if v.changed != "False" or n in looked
        )
        with self.source.block("if x is None:"):
            if self.mapping.unsure is Unsure.SKIP:
                self.source.line(f"out.append(unsure({self.source.constant(what)}))")
            else:
                self.source.line(f"return Park('UNSURE', reason({self.source.constant(what)}, ({cells})))")

    def _told(self, told: Told) -> str:
        value = self.values[told.attribute]
        v = self.variables(told.attribute)
        side, row = ("0", "b") if told.side == "was" else (self.side, self.row)
        if value.listed:
            listed = self.source.constant(value.listed)
            whole = f"each(u.many({listed}, {side}), {self.function(value)}, u, {side})"
            return whole if row != "b" or self.plain else f"None if b is None else {whole}"
        read, may = self.read(value, row, side), self.may_differ(self.bit[value.full])
        if self.plain:
            known = {"change": f"minus({v.now}, {v.was})", "now": v.now, "was": v.was}[told.side]
            return known if may == "True" else f"unmoved({read})" if told.side == "change" else read
        if told.side == "change":
            return f"None if ap or di else minus({v.now}, {v.was}) if {may} else unmoved({read})"
        if told.side == "now":
            return f"{v.now} if {may} and not di else {read}"
        return f"None if ap else {v.was} if {may} else {read}"

    # --- once per related row ------------------------------------------------------------------

    def _event_per_row(self, rule: EventRule) -> None:
        """Judge a rule for each touched row of its relation, or for every row when something else can make it true."""
        line, block = self.source.line, self.source.block
        path = self.source.constant(rule.path)
        touched = not uses.reaches_untouched_rows(self.values, rule)
        if touched and self.plain:
            return
        self.look(rule.when)
        with block(f"for rb, ra in {f'u.touched.get({path}, NOTHING).values()' if touched else f'u.pairs({path})'}:"):
            line("rap = rb is None; rdi = ra is None")
            line(f"rrk = not (rap or rdi or ra is U) and u.rekeyed_row({path}, rb, ra)")
            for name in dict.fromkeys((*uses.named_by(rule.when), *uses.told_by(rule))):
                if self.values[name].path and not self.values[name].rows:
                    self._evaluate_row(self.values[name], rule.path)
            line(f"x = {self.conditions.expression(rule.when, self.variables, _ROW)}")
            if not touched:
                line("if x and ra is U: x = None  # nobody knows how many such rows there are")
            self.traced(rule.type)
            with block("if x:"):
                self._tell(rule, [self._told_row(t) for t in rule.tell])
            self._unknown(rule.when, rule.type)

    def _evaluate_row(self, value: Value, at: str) -> None:
        """Set the variables of a value of the row at hand, or of a row above it."""
        line, v, f = self.source.line, self.variables(value.full), self.function(value)
        was, now = "rb", "ra"
        while at != value.path:
            step = self.source.constant(at)
            was, now = f"u.up({step}, {was}, 0)", f"u.up({step}, {now}, 1)"
            at = self.mapping.node(at).parent
        line(f"at = {self.source.constant(value.full)}")
        line(f"x = ABSENT if rdi else {now}")
        line(f"{v.now} = x if x is ABSENT or x is U else ABSENT if x is None else {f}(x, u, 1)")
        line(f"x = ABSENT if rap else {was}")
        line(f"try: {v.was} = x if x is ABSENT or x is U else ABSENT if x is None else {f}(x, u, 0)")
        line(f"except Unreadable: {v.was} = U")
        line(f"{v.changed} = False if {v.was} is ABSENT or {v.now} is ABSENT else differs({v.was}, {v.now})")

    def _told_row(self, told: Told) -> str:
        value = self.values[told.attribute]
        if not value.path or value.rows:
            return self._told(told)
        v = self.variables(told.attribute)
        if told.side == "change":
            return f"None if {v.was} is ABSENT or {v.now} is ABSENT else minus({v.now}, {v.was})"
        was = f"None if {v.was} is ABSENT else {v.was}"
        return was if told.side == "was" else f"({was}) if rdi else None if {v.now} is ABSENT else {v.now}"


def _looked_at(condition: Condition) -> set[str]:
    """Return the attributes that a condition looks at whether they changed or not."""
    return {a.name.attribute for a in atoms(condition) if isinstance(a, Is | IsNull)}


def generated(
    mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], *, trace: bool
) -> tuple[str, dict[str, Any]]:
    """Return the generated source of a mapping and the names it defines: `differ`, `judge` and `state`."""
    source = Source({})
    code = RuleCode(mapping, shapes, refs, source, trace=trace)
    code.judge()
    code.claims.snapshot(mapping.snapshot)
    return source.text(), source.build(f"<mapping {mapping.name}>")


def generated_update(
    mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], differing: int
) -> tuple[str, Any]:
    """Return the generated source of an `update` in which only some values may differ, and the function."""
    source = Source({})
    RuleCode(mapping, shapes, refs, source, differing=differing).update()
    return source.text(), source.build(f"<mapping {mapping.name}, update {differing:#x}>")["update"]
