"""Generate `judge(u)`: what one aggregate's change in one transaction says. One function for each mapping.

The function is straight-line: which columns differ, what they mean, which rules fire, what each fact says.
"""

from __future__ import annotations

from collections.abc import Mapping as Map
from typing import Any

from figbridge.domain.change import RowShape
from figbridge.domain.claim import Claim
from figbridge.domain.event import Event
from figbridge.domain.fact import LEGACY, Cell
from figbridge.mapping import judged, uses, values
from figbridge.mapping.code_conditions import ConditionCode, Existence, Variables
from figbridge.mapping.code_values import ValueCode
from figbridge.mapping.model import Column, EventRule, Kind, Mapping, Rule, Told, Unsure
from figbridge.mapping.source import Source
from figbridge.mapping.unit import NOTHING
from figbridge.mapping.uses import Value
from figbridge.mapping.when import Condition, Is, IsNull, atoms

_ROOT = Existence("ap", "di", "rk")
_ROW = Existence("rap", "rdi", "rrk")


class RuleCode:
    """Generate the judging code of one mapping."""

    def __init__(
        self, mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], source: Source, *, trace: bool
    ) -> None:
        self.mapping = mapping
        self.source = source
        self.trace = trace
        self.values = uses.values(mapping)
        self.order = list(self.values)
        self.reading = ValueCode(mapping, shapes, refs, source)
        self.conditions = ConditionCode(source, self.values.__getitem__)
        self.functions: dict[str, str] = {}
        self.top = [v for v in self.values.values() if not v.path or v.rows]
        self.bit = {v.full: 1 << i for i, v in enumerate(self.top)}
        self.fact_of = {a: f for f, attributes in mapping.facts for a in attributes}
        source.names.update(
            Claim=Claim, Event=Event, new=tuple.__new__, NOTHING=NOTHING, Park=judged.Park, has_unavailable=values.has_unavailable,
            minus=values.minus, rows_changed=judged.rows_changed, touched_bits=judged.touched_bits,
            unsure=judged.unsure, reason=judged.reason,
        )  # fmt: skip
        for value in self.values.values():
            self.functions[value.full] = self._reader(value)

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
        name = self.source.fresh("d")
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
        for value in self.top:
            for column in value.columns:
                if column.path == path:
                    found[column.name] = found.get(column.name, 0) | self.bit[value.full]
            for below in value.paths:
                node = self.mapping.node(below)
                if node.kind is Kind.POINTED and node.parent == path:
                    for name in node.link:
                        found[name] = found.get(name, 0) | self.bit[value.full]
        return found

    def bits_of_path(self, path: str) -> int:
        """Return the bits of every value that reads a relation's rows."""
        return sum(self.bit[v.full] for v in self.top if path in v.paths)

    # --- the function --------------------------------------------------------------------------

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
            line(f"sid = {self._subject('R')}")
            with block("if sid is None:"):
                line("return Park('UNRESOLVED', 'the id of the aggregate is not known')")
            with block("if u.before_missing and not ap:"):
                line("return Park('BEFORE_MISSING', 'the record has no image of the row before the change')")
            with block("try:"):
                for value in self.top:
                    self._evaluate(value)
                for never in self.mapping.never:
                    self._never(never)
                for event in self.mapping.events:
                    self._event(event)
                self._silent()
                self._states()
            with block("except (Unreadable, TypeError) as e:"):
                line("return Park('UNREADABLE', at + ': ' + str(e))")
            line("return out")

    def _subject(self, row: str) -> str:
        parts = [c for c in self.mapping.id if isinstance(c, Column)]
        cells = [f"{row}.{self.reading.field(c)}" for c in parts]
        known = " or ".join(f"{c} is U or {c} is None" for c in cells) or "False"
        text = " + ".join(
            f"str({row}.{self.reading.field(c)}).rstrip()" if isinstance(c, Column) else self.source.constant(c)
            for c in self.mapping.id
        )
        return f"None if {known} else {text}"

    def _evaluate(self, value: Value) -> None:
        """Set the variables of a value: before, now, changed. Unchanged ones are read only when rules look at them."""
        line, block, v = self.source.line, self.source.block, self._variables(value.full)
        name, f = self.source.constant(value.full), self.functions[value.full]
        with block(f"if m & {self.bit[value.full]}:"):
            line(f"at = {name}")
            if value.listed:
                path = self.source.constant(value.listed)
                line(f"{v.was}, {v.now}, {v.changed} = rows_changed(u, {path}, {f})")
                line(f"if ap or di: {v.changed} = False")
            else:
                line(f"{v.now} = ABSENT if di else {f}(a, u, 1)")
                line(f"try: {v.was} = ABSENT if ap else {f}(b, u, 0)")
                line(f"except Unreadable: {v.was} = U")
                line(f"{v.changed} = False if ap or di else differs({v.was}, {v.now})")
        with block("else:"):
            looked = value.full in self._looked_at()
            if looked and not value.listed:
                line(f"at = {name}")
                line(f"{v.was} = {v.now} = {f}(R, u, S); {v.changed} = False")
            else:
                line(f"{v.was} = {v.now} = None; {v.changed} = False")

    def _looked_at(self) -> frozenset[str]:
        """Return the values that some condition reads besides asking whether they change."""
        rules: tuple[EventRule | Rule, ...] = (*self.mapping.events, *self.mapping.never, *self.mapping.silent)
        return frozenset(
            atom.name.attribute for rule in rules for atom in atoms(rule.when) if isinstance(atom, Is | IsNull)
        )

    def _variables(self, full: str) -> Variables:
        i = self.order.index(full)
        return Variables(f"w{i}", f"n{i}", f"c{i}")

    # --- rules ---------------------------------------------------------------------------------

    def _never(self, rule: Rule) -> None:
        line, block = self.source.line, self.source.block
        line(f"x = {self.conditions.expression(rule.when, self._variables, _ROOT)}")
        text = self.source.constant(rule.text)
        self._traced(f"'never ' + {text}")
        with block("if x:"):
            line(f"return Park('NEVER', {text})")
        self._unknown(rule.when, rule.text)

    def _traced(self, what: str) -> None:
        if self.trace:
            self.source.line(f"if T is not None: T.append(({what}, x))")

    def _unknown(self, condition: Condition, what: str) -> None:
        """Park on unknown, naming what is missing, unless the mapping says to skip."""
        line, block = self.source.line, self.source.block
        names = uses.named_by(condition)
        cells = ", ".join(f"({self.source.constant(n)}, {v.was}, {v.now})" for n in names for v in [self._variables(n)])
        with block("if x is None:"):
            if self.mapping.unsure is Unsure.SKIP:
                line(f"out.append(unsure({self.source.constant(what)}))")
            else:
                missing = f"reason({self.source.constant(what)}, ({cells}{',' if cells else ''}))"
                line(f"return Park('UNSURE', {missing})")

    def _event(self, rule: EventRule) -> None:
        if rule.path:
            self._event_per_row(rule)
            return
        line, block = self.source.line, self.source.block
        line(f"x = {self.conditions.expression(rule.when, self._variables, _ROOT)}")
        self._traced(self.source.constant(rule.type))
        with block("if x:"):
            data = ", ".join(f"{self.source.constant(t.name)}: {self._told(t)}" for t in rule.tell)
            line(f"d = {{{data}}}")
            self._claim(rule)
        self._unknown(rule.when, rule.type)

    def _told(self, told: Told) -> str:
        value = self.values[told.attribute]
        v = self._variables(told.attribute)
        side = "S" if told.side == "now" else "0"
        row = "R" if told.side == "now" else "b"
        if value.listed:
            whole = (
                f"each(u.many({self.source.constant(value.listed)}, {side}), {self.functions[value.full]}, u, {side})"
            )
            return f"None if {row} is None else {whole}" if row == "b" else whole
        if told.side == "change":
            return f"minus({v.now}, {v.was}) if m & {self.bit[value.full]} and not ap and not di else None"
        known = v.now if told.side == "now" else v.was
        read = f"{self.functions[value.full]}({row}, u, {side})"
        if told.side == "now":
            return f"{known} if m & {self.bit[value.full]} and not di else {read}"
        return f"None if ap else {known} if m & {self.bit[value.full]} else {read}"

    def _claim(self, rule: EventRule) -> None:
        """Append an event's claim; park when it would tell an unavailable cell."""
        line, block = self.source.line, self.source.block
        with block("if U in d.values():  # every reader of several cells gives U as a whole"):
            line(
                f"return Park('UNAVAILABLE', reason({self.source.constant(rule.type)}, tuple((n, v, v) for n, v in d.items())))"
            )
        fact = rule.fact
        bits = self._fact_bits(fact)
        line("fw = {}; fn = {}")
        with block(f"if m & {bits}:"):
            self._fact_changes(fact)
        if bits == 0:
            line("pass")
        line(f"fired |= {1 << self._facts().index(fact)}; spoken |= {self._spoken(rule)}")
        type_, cell = self.source.constant(rule.type), self.source.constant(Cell(fact))
        line(
            f"out.append(new(Claim, ({LEGACY!r}, {cell}, {self.source.constant(self.mapping.aggregate)}, sid,"
            f" new(Event, ({type_}, d)), fw, fn if fw or fn else d, ap or di or bool(fw) or bool(fn), '',"
            f" {self.source.constant(self.mapping.name)}, {self.mapping.version}, False)))"
        )

    def _spoken(self, rule: EventRule) -> int:
        """Return the bits of values whose change an event speaks for."""
        names = {*uses.told_by(rule), *uses.changed_by(rule.when), *((rule.path,) if rule.path else ())}
        top = {n if n in self.bit else self.values[n].path for n in names if n in self.values}
        return sum(self.bit[n] for n in top if n in self.bit)

    def _facts(self) -> list[str]:
        return [f for f, _ in self.mapping.facts]

    def _fact_bits(self, fact: str) -> int:
        attributes = dict(self.mapping.facts).get(fact, ())
        return sum(self.bit[a] for a in attributes if a in self.bit)

    def _fact_changes(self, fact: str) -> None:
        """Fill fw and fn with a fact's changed attributes; nothing for a row that exists on one side only."""
        attributes = [a for a in dict(self.mapping.facts).get(fact, ()) if a in self.bit]
        for a in attributes:
            v, name = self._variables(a), self.source.constant(a)
            self.source.line(f"if {v.changed}: fw[{name}] = {v.was}; fn[{name}] = {v.now}")
        if not attributes:
            self.source.line("pass")

    # --- once per related row ------------------------------------------------------------------

    def _event_per_row(self, rule: EventRule) -> None:
        line, block = self.source.line, self.source.block
        path = self.source.constant(rule.path)
        named = uses.named_by(rule.when)
        others = [n for n in uses.changed_by(rule.when) if self.values[n].path != rule.path]
        rows = (
            f"u.pairs({path})"
            if others or rule.path not in self._own_turn(rule)
            else (f"u.touched.get({path}, NOTHING).values()")
        )
        with block(f"for rb, ra in {rows}:"):
            line("rap = rb is None; rdi = ra is None; rr = rb if rdi else ra; rs = 0 if rdi else 1")
            line(f"rrk = not rap and not rdi and u.joins[{path}].key_of(rb) != u.joins[{path}].key_of(ra)")
            for name in dict.fromkeys((*named, *uses.told_by(rule))):
                if self.values[name].path and not self.values[name].rows:
                    self._evaluate_row(self.values[name], rule.path)
            line(f"x = {self.conditions.expression(rule.when, self._variables, _ROW)}")
            self._traced(self.source.constant(rule.type))
            with block("if x:"):
                data = ", ".join(f"{self.source.constant(t.name)}: {self._told_row(t)}" for t in rule.tell)
                line(f"d = {{{data}}}")
                self._claim(rule)
            self._unknown(rule.when, rule.type)

    def _own_turn(self, rule: EventRule) -> set[str]:
        """Return the path of a rule when only a change of that relation's own row can make it true."""
        own = [n for n in uses.changed_by(rule.when) if self.values[n].path == rule.path]
        return {rule.path} if own or uses.turns_on_existence(rule.when) else set()

    def _evaluate_row(self, value: Value, at: str) -> None:
        """Set the variables of a value of the row at hand, or of a row above it."""
        line, v, f = self.source.line, self._variables(value.full), self.functions[value.full]
        was, now = "rb", "ra"
        while at != value.path:
            step = self.source.constant(at)
            was, now = f"u.up({step}, {was}, 0)", f"u.up({step}, {now}, 1)"
            at = self.mapping.node(at).parent
        line(f"at = {self.source.constant(value.full)}")
        line(
            f"x = ABSENT if rdi else {now}; {v.now} = x if x is ABSENT or x is U else ABSENT if x is None else {f}(x, u, 1)"
        )
        line(
            f"try: x = ABSENT if rap else {was}; {v.was} = x if x is ABSENT or x is U else ABSENT if x is None else {f}(x, u, 0)"
        )
        line(f"except Unreadable: {v.was} = U")
        line(f"{v.changed} = False if {v.was} is ABSENT or {v.now} is ABSENT else differs({v.was}, {v.now})")

    def _told_row(self, told: Told) -> str:
        value = self.values[told.attribute]
        if not value.path or value.rows:
            return self._told(told)
        v = self._variables(told.attribute)
        if told.side == "change":
            return f"None if rap or rdi else minus({v.now}, {v.was})"
        if told.side == "was":
            return f"None if {v.was} is ABSENT else {v.was}"
        return f"{v.was} if rdi else None if {v.now} is ABSENT else {v.now}"

    # --- what no event tells -------------------------------------------------------------------

    def _silent(self) -> None:
        """Collect what the mapping is silent about: bits of values, and the rule that says so."""
        line, block = self.source.line, self.source.block
        line("quiet = ''; hushed = 0")
        for rule in self.mapping.silent:
            line(f"x = {self.conditions.expression(rule.when, self._variables, _ROOT)}")
            self._traced(f"'silent ' + {self.source.constant(rule.text)}")
            bits = sum(self.bit[n] for n in uses.changed_by(rule.when) if n in self.bit)
            with block("if x:"):
                line(f"quiet = quiet or {self.source.constant(rule.text)}; hushed |= {bits}")

    def _states(self) -> None:
        """Append the new state of each changed fact that no event tells."""
        line, block = self.source.line, self.source.block
        aggregate, name = self.source.constant(self.mapping.aggregate), self.source.constant(self.mapping.name)
        with block("if (ap or di) and not out:"):
            line("x = quiet or ('no event speaks for a row that ' + ('appears' if ap else 'disappears'))")
            for fact, _ in self.mapping.facts:
                cell = self.source.constant(Cell(fact))
                line(
                    f"out.append(Claim({LEGACY!r}, {cell}, {aggregate}, sid, None, NOTHING, NOTHING, not quiet, x,"
                    f" {name}, {self.mapping.version}))"
                )
        for i, (fact, attributes) in enumerate(self.mapping.facts):
            bits = self._fact_bits(fact)
            if not bits:
                continue
            with block(f"if m & {bits} and not fired & {1 << i}:"):
                line("fw = {}; fn = {}; x = 0")
                for a in attributes:
                    if a in self.bit:
                        v, key = self._variables(a), self.source.constant(a)
                        line(f"if {v.changed}: fw[{key}] = {v.was}; fn[{key}] = {v.now}; x |= {self.bit[a]}")
                with block("if x:"):
                    why = "quiet if not x & ~hushed else 'told by another event' if not x & ~(spoken | hushed)"
                    line(f"x = {why} else 'no event speaks for ' + ', '.join(fn)")
                    line(
                        f"out.append(Claim({LEGACY!r}, {self.source.constant(Cell(fact))}, {aggregate}, sid, None, fw, fn,"
                        f" True, x, {name}, {self.mapping.version}))"
                    )

    # --- snapshots -----------------------------------------------------------------------------

    def state(self) -> None:
        """Write `state(u)`: the claims of a snapshot row, one for each fact, with what is known of it."""
        line, block = self.source.line, self.source.block
        rule = self.mapping.snapshot
        with self.source.function("def state(u):"):
            line("a = u.now; at = ''; out = []")
            line(f"sid = {self._subject('a')}")
            with block("if sid is None:"):
                line("return Park('UNRESOLVED', 'the id of the aggregate is not known')")
            told = uses.snapshot_tells(self.mapping, rule) if rule is not None else ()
            with block("try:"):
                for fact, attributes in self.mapping.facts if rule is not None else ():
                    wanted = [a for a in attributes if a in told and a in self.values]
                    if not wanted or rule is None:
                        continue
                    line("d = {}")
                    for a in wanted:
                        self._state_value(a)
                    line(
                        f"out.append(Claim({LEGACY!r}, {self.source.constant(Cell(fact))},"
                        f" {self.source.constant(self.mapping.aggregate)}, sid,"
                        f" Event({self.source.constant(rule.type)}, d), NOTHING, d, True, '',"
                        f" {self.source.constant(self.mapping.name)}, {self.mapping.version}, True))"
                    )
                line("pass")
            with block("except (Unreadable, TypeError) as e:"):
                line("return Park('UNREADABLE', at + ': ' + str(e))")
            line("return out")

    def _state_value(self, name: str) -> None:
        value, f = self.values[name], self.functions[name]
        read = f"each(u.many({self.source.constant(value.listed)}, 1), {f}, u, 1)" if value.listed else f"{f}(a, u, 1)"
        self.source.line(f"at = {self.source.constant(name)}; x = {read}")
        self.source.line(f"if not has_unavailable(x): d[{self.source.constant(name)}] = x")


def generated(
    mapping: Mapping, shapes: Map[str, RowShape], refs: Map[str, str], *, trace: bool
) -> tuple[str, dict[str, Any]]:
    """Return the generated source of a mapping and the names it defines: `judge` and `state`."""
    source = Source({})
    code = RuleCode(mapping, shapes, refs, source, trace=trace)
    code.judge()
    code.state()
    return source.text(), source.build(f"<mapping {mapping.name}>")
