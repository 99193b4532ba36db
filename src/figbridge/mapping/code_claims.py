"""Generate the claims: of each event that fires, of each changed fact that no event tells, of a snapshot row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from figbridge.domain.claim import Claim
from figbridge.domain.event import Event
from figbridge.domain.fact import LEGACY, Cell
from figbridge.mapping import compare, judged, uses
from figbridge.mapping.model import EventRule, Rule, SnapshotRule

if TYPE_CHECKING:
    from figbridge.mapping.code_rules import RuleCode


class ClaimCode:
    """Generate claims within the functions that a RuleCode writes."""

    def __init__(self, rules: RuleCode) -> None:
        self.rules = rules
        self.source = rules.source
        self.mapping = rules.mapping
        self.facts = [fact for fact, _ in self.mapping.facts]
        self.source.names.update(
            Claim=Claim,
            Event=Event,
            new=tuple.__new__,
            has_unavailable=compare.has_unavailable,
            hushing=judged.hushing,
            known=judged.known,
            sides=judged.sides,
        )  # tuple.__new__: naming the fields costs more than the claim

    def _append(
        self, fact: str, event: str, was: str, now: str, changed: str, silent: str, *, state: bool = False
    ) -> None:
        k = self.source.constant
        self.source.line(
            f"out.append(new(Claim, ({LEGACY!r}, {k(Cell(fact))}, {k(self.mapping.aggregate)}, sid, {event},"
            f" {was}, {now}, {changed}, {silent}, {k(self.mapping.name)}, {self.mapping.version}, {state})))"
        )

    def _bits(self, fact: str) -> int:
        return sum(self.rules.bit[a] for a in self._changeable(fact))

    def _changeable(self, fact: str) -> list[str]:
        """Return the attributes of a fact that may change in the function being written."""
        attributes = dict(self.mapping.facts).get(fact, ())
        return [a for a in attributes if a in self.rules.bit and self.rules.variables(a).changed != "False"]

    # --- events --------------------------------------------------------------------------------

    def event(self, rule: EventRule) -> None:
        """Append the claim of an event whose data is in `d`; park when it would tell an unavailable cell."""
        line, block, k = self.source.line, self.source.block, self.source.constant
        surely = all(t.side == "now" and self.rules.surely_known(self.rules.values[t.attribute]) for t in rule.tell)
        if not surely:
            with block("if U in d.values():"):  # every reader of several cells gives U as a whole
                told = "tuple((n, None, v) for n, v in d.items())"
                line(f"return Park('UNAVAILABLE', reason({k(rule.type)}, {told}))")
        line("fw = {}; fn = {}")
        attributes = self._changeable(rule.fact)
        if attributes:
            with self.rules.where(self.rules.may_differ(self._bits(rule.fact))):
                for a in attributes:
                    line(self._changed(a))
        line(f"fired |= {1 << self.facts.index(rule.fact)}; spoken |= {self._spoken(rule)}")
        changed = "bool(fn)" if self.rules.plain else "ap or di or bool(fw) or bool(fn)"
        event = f"new(Event, ({k(rule.type)}, d))"
        self._append(rule.fact, event, "fw", "fn if fw or fn else d", changed, "''")

    def _changed(self, attribute: str) -> str:
        """Return the statement that puts both sides of a value that changed into fw and fn; of rows, those known."""
        v, name = self.rules.variables(attribute), self.source.constant(attribute)
        both = (v.was, v.now)
        was, now = (f"known({x})" for x in both) if self.rules.values[attribute].listed else both
        return f"if {v.changed}: fw[{name}] = {was}; fn[{name}] = {now}"

    def _spoken(self, rule: EventRule) -> int:
        """Return the bits of values whose change an event speaks for."""
        bit, found = self.rules.bit, self.rules.values
        names = {*uses.told_by(rule), *uses.changed_by(rule.when), *((rule.path,) if rule.path else ())}
        top = {n if n in bit else found[n].path for n in names if n in found}
        return sum(bit[n] for n in top if n in bit)

    # --- what no event tells -------------------------------------------------------------------

    def silent(self, rules: tuple[Rule, ...]) -> None:
        """Collect what the mapping is silent about: bits of values, and the rules that say so."""
        line, bit = self.source.line, self.rules.bit
        line("quiet = (); hushed = 0")
        for rule in rules:
            bits = sum(bit[n] for n in uses.changed_by(rule.when) if n in bit)
            code = self.rules.conditions.expression(rule.when, self.rules.variables, self.rules.existence)
            if code == "False":
                continue
            guarded = bits and not uses.turns_on_existence(rule.when)
            with self.rules.where(self.rules.may_differ(bits) if guarded else "True"):
                self.rules.look(rule.when)
                line(f"x = {code}")
                self.rules.traced(f"silent {rule.text}")
                line(f"if x: quiet += (({bits}, {self.source.constant(rule.text)}),); hushed |= {bits}")

    def states(self) -> None:
        """Append the new state of each changed fact that no event tells."""
        line, block, k = self.source.line, self.source.block, self.source.constant
        if not self.rules.plain:
            with block("if (ap or di) and not fired:"):
                line("x = 'no event speaks for a row that ' + ('appears' if ap else 'disappears')")
                line("if quiet: x = quiet[0][1]")
                for fact, owned in self.mapping.facts:
                    named = [(k(a), self.rules.variables(a)) for a in owned if a in self.rules.bit]
                    line(f"fw, fn = sides(({''.join(f'({a}, {v.was}, {v.now}),' for a, v in named)}))")
                    self._append(fact, "None", "fw", "fn", "not quiet", "x")
        for i, fact in enumerate(self.facts):
            attributes = self._changeable(fact)
            if not attributes:
                continue
            may = self.rules.may_differ(self._bits(fact))
            with block(f"if {f'{may} and ' * (may != 'True')}not fired & {1 << i}:"):
                line("fw = {}; fn = {}; x = 0")
                for a in attributes:
                    line(f"{self._changed(a)}; x |= {self.rules.bit[a]}")
                with block("if x:"):
                    told = "'told by another event' if not x & ~(spoken | hushed) else"
                    unspoken = "'no event speaks for ' + ', '.join(fn)"
                    line(f"x = hushing(quiet, x) if not x & ~hushed else {told} {unspoken}")
                    self._append(fact, "None", "fw", "fn", "True", "x")

    # --- snapshots -----------------------------------------------------------------------------

    def snapshot(self, rule: SnapshotRule | None) -> None:
        """Write `state(u)`: the claims of a snapshot row, one for each fact, with what is known of it."""
        line, block = self.source.line, self.source.block
        told = uses.snapshot_tells(self.mapping, rule) if rule is not None else ()
        with self.source.function("def state(u):"):
            line("a = u.now; at = ''; out = []")
            line(f"sid = {self.rules.subject('a')}")
            with block("if sid is None:"):
                line("return Park('UNRESOLVED', 'the id of the aggregate is not known')")
            with block("try:"):
                for fact, attributes in self.mapping.facts if rule is not None else ():
                    wanted = [a for a in attributes if a in told and a in self.rules.values]
                    if not wanted or rule is None:
                        continue
                    line("d = {}")
                    for a in wanted:
                        self._state_value(a)
                    event = f"new(Event, ({self.source.constant(rule.type)}, d))"
                    self._append(fact, event, "NOTHING", "d", "True", "''", state=True)
                line("pass")
            with block("except Unreadable as e:"):
                line("return Park('UNREADABLE', at + ': ' + str(e))")
            line("return out")

    def _state_value(self, name: str) -> None:
        value = self.rules.values[name]
        f = self.rules.function(value)
        many = f"each(u.many({self.source.constant(value.listed)}, 1), {f}, u, 1)"
        self.source.line(f"at = {self.source.constant(name)}; x = {many if value.listed else f'{f}(a, u, 1)'}")
        self.source.line(f"if not has_unavailable(x): d[{self.source.constant(name)}] = x")
