"""Generate what judges one aggregate's change in one transaction. The functions are straight-line: which columns
differ, what they mean, which rules fire, what each fact says.

`judge(u, T)` judges any unit. `update(b, a, m, u)` judges the commonest one: the root row was updated and nothing else
of the aggregate was touched. What cannot be true of that is left out. `m` are the bits of values that may differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Map
from typing import Any

from figbridge.domain.change import RowShape
from figbridge.mapping import compare, judged, uses
from figbridge.mapping.code_claims import ClaimCode
from figbridge.mapping.code_conditions import ConditionCode, Existence, Variables
from figbridge.mapping.code_values import ValueCode
from figbridge.mapping.guards import guard
from figbridge.mapping.model import Column, EventRule, Kind, Mapping, Rule, Told, Unsure
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
        self, mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], source: Source, *, trace: bool
    ) -> None:
        self.mapping = mapping
        self.source = source
        self.trace = trace
        self.plain = False
        """True while `update` is written."""
        self.values = uses.values(mapping)
        self.order = list(self.values)
        self.reading = ValueCode(mapping, shapes, refs, source)
        self.conditions = ConditionCode(source, self.values.__getitem__)
        self.functions: dict[str, str] = {}
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
        for value in self.values.values():
            self.functions[value.full] = self._reader(value)
        self.claims = ClaimCode(self)

    def _reader(self, value: Value) -> str:
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
        """Write `update(b, a, m, u)`; `u` is not looked at in a mapping without relations and lookups."""
        self.plain = True
        with self.source.function("def update(b, a, m, u):"):
            self.source.line("R = a; S = 1; at = ''; out = []; spoken = 0; fired = 0")
            self._body()
        self.plain = False

    def _body(self) -> None:
        line, block = self.source.line, self.source.block
        line(f"sid = {self.subject('R')}")
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

    def subject(self, row: str) -> str:
        """Return the expression of the aggregate's id: None when a column of it is not known."""
        parts = [c for c in self.mapping.id if isinstance(c, Column)]
        cells = [f"{row}.{self.reading.field(c)}" for c in parts]
        known = " or ".join(f"{c} is U or {c} is None" for c in cells) or "False"
        text = " + ".join(
            f"str({row}.{self.reading.field(c)}).rstrip()" if isinstance(c, Column) else self.source.constant(c)
            for c in self.mapping.id
        )
        return f"None if {known} else {text}"

    @property
    def existence(self) -> Existence:
        """Return the names that say whether the root appears, disappears or is re-keyed."""
        return _THERE if self.plain else _ROOT

    def variables(self, full: str) -> Variables:
        """Return the names of the variables of a value."""
        i = self.order.index(full)
        if self.plain and full in self.bit and self.values[full].listed and self.values[full].own:
            return Variables(f"w{i}", f"n{i}", "False")  # no row of a relation was touched
        return Variables(f"w{i}", f"n{i}", f"c{i}")

    def _evaluate(self, value: Value) -> None:
        """Set the variables of a value: before, now, changed. One that did not change is read when a rule looks."""
        line, block, v = self.source.line, self.source.block, self.variables(value.full)
        if v.changed == "False":
            return
        name, f = self.source.constant(value.full), self.functions[value.full]
        with block(f"if m & {self.bit[value.full]}:"):
            line(f"at = {name}")
            if value.listed:
                path = self.source.constant(value.listed)
                rows = "rows_changed" if value.own else "all_rows_changed"
                line(f"{v.was}, {v.now}, {v.changed} = {rows}(u, {path}, {f})")
                if not self.plain:
                    line(f"if ap or di: {v.changed} = False")
            else:
                line(f"{v.now} = {'' if self.plain else 'ABSENT if di else '}{f}(a, u, 1)")
                line(f"try: {v.was} = {'' if self.plain else 'ABSENT if ap else '}{f}(b, u, 0)")
                line(f"except Unreadable: {v.was} = U")
                there = "" if self.plain else "False if ap or di else "
                line(f"{v.changed} = {there}{self._compared(value, v)}")
        with block("else:"):
            line(f"{v.was} = {v.now} = None; {v.changed} = False")

    def _compared(self, value: Value, v: Variables) -> str:
        """Return the expression that compares both sides; scalars are equal when they are the same."""
        if uses.is_scalar(value):
            return f"None if {v.was} is U or {v.now} is U else {v.was} != {v.now}"
        return f"differs({v.was}, {v.now})"

    def look(self, condition: Condition) -> None:
        """Read what a condition looks at and did not change."""
        looked = {a.name.attribute for a in atoms(condition) if isinstance(a, Is | IsNull)}
        for full in self.order:
            value = self.values[full]
            if full in looked and full in self.bit and not value.listed:
                v, f = self.variables(full), self.functions[full]
                at = self.source.constant(full)
                self.source.line(f"if not m & {self.bit[full]}: at = {at}; {v.was} = {v.now} = {f}(R, u, S)")

    # --- rules ---------------------------------------------------------------------------------

    def _rule(self, condition: Condition, what: str, then: Any, rule: Rule | EventRule) -> None:
        """Judge one condition, only when something that could make it true has changed."""
        line, block = self.source.line, self.source.block
        bits = guard(condition, lambda n: 0 if self.variables(n).changed == "False" else self.bit[n], plain=self.plain)
        code = self.conditions.expression(condition, self.variables, self.existence)
        if code == "False" or (self.plain and bits == 0):
            return
        with block(f"if m & {bits}:" if bits is not None and not self.trace else "if True:"):
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
        names = [(self.source.constant(n), self.variables(n)) for n in uses.named_by(condition)]
        cells = "".join(f"({name}, {v.was}, {v.now}), " for name, v in names if v.changed != "False")
        with self.source.block("if x is None:"):
            if self.mapping.unsure is Unsure.SKIP:
                self.source.line(f"out.append(unsure({self.source.constant(what)}))")
            else:
                self.source.line(f"return Park('UNSURE', reason({self.source.constant(what)}, ({cells})))")

    def _told(self, told: Told) -> str:
        value = self.values[told.attribute]
        v, f = self.variables(told.attribute), self.functions[value.full]
        side, row = ("0", "b") if told.side == "was" else ("S", "R")
        if value.listed:
            whole = f"each(u.many({self.source.constant(value.listed)}, {side}), {f}, u, {side})"
            return whole if row == "R" or self.plain else f"None if b is None else {whole}"
        read, known = f"{f}({row}, u, {side})", f"m & {self.bit[value.full]}"
        if told.side == "change":
            there = "" if self.plain else "None if ap or di else "
            return f"{there}minus({v.now}, {v.was}) if {known} else unmoved({read})"
        if told.side == "now":
            return f"{v.now} if {known}{'' if self.plain else ' and not di'} else {read}"
        return f"{'' if self.plain else 'None if ap else '}{v.was} if {known} else {read}"

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
        line, v, f = self.source.line, self.variables(value.full), self.functions[value.full]
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


def generated(
    mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], *, trace: bool
) -> tuple[str, dict[str, Any]]:
    """Return the generated source of a mapping and the names it defines: `differ`, `judge`, `update` and `state`."""
    source = Source({})
    code = RuleCode(mapping, shapes, refs, source, trace=trace)
    code.judge()
    code.update()
    code.claims.snapshot(mapping.snapshot)
    return source.text(), source.build(f"<mapping {mapping.name}>")
