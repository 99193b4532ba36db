"""Conditions: generated code equals a slow interpreter that tries every value an unknown cell may have."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.mapping import model
from figbridge.mapping.code_conditions import ConditionCode, Existence, Variables
from figbridge.mapping.compare import ABSENT, differs
from figbridge.mapping.grammar import MAX_NESTING, parse_condition
from figbridge.mapping.source import Source
from figbridge.mapping.unit import U
from figbridge.mapping.uses import Value
from figbridge.mapping.when import (
    And,
    Appears,
    Becomes,
    Changes,
    Disappears,
    Falls,
    Is,
    IsNull,
    Name,
    Not,
    Or,
    Rekeyed,
    Rises,
)
from support.mappings import orders
from support.monolith import insert, update

COLUMN = model.Column("", "x")
READERS = {
    "status": model.Code(COLUMN, (("P", "placed"), ("C", "confirmed"))),
    "count": model.Int(COLUMN),
    "vip": model.Bool(COLUMN),
    "name": model.Text(COLUMN),
}
POOLS = {
    "status": ("placed", "confirmed", "cancelled", None),
    "count": (0, 1, 5, None),
    "vip": (True, False, None),
    "name": ("1", "placed", "", None),
}
WRITTEN = {"status": ("placed", "confirmed"), "count": ("1", "5"), "vip": ("true", "false"), "name": ("1", "placed")}
NAMES = tuple(READERS)


@cache
def compiled(condition):
    """Compile a condition to a function of was, now and changed of each name, and of existence."""
    source = Source({"U": U})
    values = {n: Value(n, "", False, "", ((n, r),), (COLUMN,), frozenset(), True) for n, r in READERS.items()}
    code = ConditionCode(source, values.__getitem__)
    names = {n: Variables(f"w{i}", f"n{i}", f"c{i}") for i, n in enumerate(NAMES)}
    arguments = ", ".join(f"{v.was}, {v.now}, {v.changed}" for v in names.values())
    with source.block(f"def f({arguments}, ap, di, rk):"):
        source.line(f"return {code.expression(condition, names.__getitem__, Existence('ap', 'di', 'rk'))}")
    return source.build("<condition>")["f"]


def changed(was, now):
    """Say whether a value changed, as judging code does."""
    return False if was is ABSENT or now is ABSENT else differs(was, now)


def judge(condition, cells, existence):
    """Judge with generated code."""
    flat = [x for was, now in map(cells.__getitem__, NAMES) for x in (was, now, changed(was, now))]
    return compiled(condition)(*flat, *existence)


# --- the slow interpreter --------------------------------------------------------------------------


def reference(condition, cells, existence):
    """Judge by the book: atoms by trying out what unknown cells may be, `and`, `or` and `not` after Kleene."""
    match condition:
        case Not(item):
            value = reference(item, cells, existence)
            return None if value is None else not value
        case And(items):
            found = [reference(i, cells, existence) for i in items]
            return False if False in found else None if None in found else True
        case Or(items):
            found = [reference(i, cells, existence) for i in items]
            return True if True in found else None if None in found else False
        case Appears():
            return existence[0]
        case Disappears():
            return existence[1]
        case Rekeyed():
            return existence[2]
    name = condition.name.attribute if isinstance(condition, Is | IsNull) else condition.attribute
    found = {atom(condition, was, now) for was, now in completions(name, *cells[name])}
    return found.pop() if len(found) == 1 else None


def completions(name, was, now):
    """Return every pair of values that a pair with unknown cells may be."""
    anything = (*POOLS[name], *((-(10**6), 10**6) if name == "count" else ()))
    return product(*((anything if side is U else (side,)) for side in (was, now)))


def atom(condition, was, now):
    """Judge an atom when everything is known."""
    there = was is not ABSENT and now is not ABSENT
    match condition:
        case Changes():
            return there and was != now
        case Rises():
            return there and None not in (was, now) and isinstance(was, int) and not isinstance(was, bool) and now > was
        case Falls():
            return there and None not in (was, now) and isinstance(was, int) and not isinstance(was, bool) and now < was
        case Is(name, value, negated):
            side = was if name.side == "was" else now
            return side is not ABSENT and (text(side) == value) is not negated
        case IsNull(name, negated):
            side = was if name.side == "was" else now
            return side is not ABSENT and (side is None) is not negated
        case Becomes(_, old, new):
            return there and was != now and old in (None, text(was)) and new in (None, text(now))
    raise AssertionError(condition)


def text(value):
    """Return a value as a rule writes it."""
    return str(value).lower() if isinstance(value, bool) else None if value is None else str(value)


# --- laws ------------------------------------------------------------------------------------------


def _atoms(name):
    written = st.sampled_from(WRITTEN[name])
    sides = st.builds(Name, st.just(name), st.sampled_from(["was", "now"]))
    old_new = st.tuples(st.none() | written, st.none() | written).filter(lambda pair: pair[0] != pair[1])
    kinds = [
        st.just(Changes(name)),
        st.builds(Is, sides, written, st.booleans()),
        st.builds(IsNull, sides, st.booleans()),
    ]
    kinds.append(old_new.map(lambda pair: Becomes(name, *pair)))
    if name == "count":
        kinds += [st.just(Rises(name)), st.just(Falls(name))]
    return st.one_of(kinds)


ATOMS = st.one_of(*map(_atoms, NAMES), st.sampled_from([Appears(), Disappears(), Rekeyed()]))
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: And(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: Or(tuple(items)))
    ),
    max_leaves=8,
)
CELLS = st.fixed_dictionaries({n: st.tuples(*[st.sampled_from([*POOLS[n], U, ABSENT])] * 2) for n in NAMES})
EXISTENCE = st.sampled_from([(False, False, False), (True, False, False), (False, True, False), (False, False, True)])


@settings(deadline=None, max_examples=400)
@given(CONDITIONS, CELLS, EXISTENCE)
def test_generated_conditions_equal_the_slow_interpreter(condition, cells, existence):
    """For any condition and any known, null, unavailable or absent values both give the same of three values."""
    assert judge(condition, cells, existence) is reference(condition, cells, existence)


def sides(name):
    """Return everything that a value may be on one side."""
    return (*POOLS[name], U, ABSENT)


def every_atom(name):
    """Return every atom about a name with the values that are written of it."""
    written = WRITTEN[name]
    yield from (Changes(name), *((Rises(name), Falls(name)) if name == "count" else ()))
    for side, negated in product(("was", "now"), (True, False)):
        yield from (IsNull(Name(name, side), negated), *(Is(Name(name, side), w, negated) for w in written))
    yield from (Becomes(name, *pair) for pair in product((None, *written), repeat=2) if pair[0] != pair[1])


@pytest.mark.parametrize("name", NAMES)
def test_every_atom_equals_the_slow_interpreter_for_every_pair_of_sides(name):
    """Known, null, unavailable and absent on either side: each atom gives what trying out all values gives."""
    for condition, was, now in product(every_atom(name), sides(name), sides(name)):
        cells = {n: (was, now) if n == name else (None, None) for n in NAMES}
        existence = (False, False, False)
        assert judge(condition, cells, existence) is reference(condition, cells, existence), (condition, was, now)


@pytest.mark.parametrize(("group", "ends"), [(And, False), (Or, True)])
@pytest.mark.parametrize("size", [2, 3])
def test_and_and_or_have_kleenes_truth_tables(group, ends, size):
    """One deciding item decides, else one unknown makes it unknown: for all combinations."""
    condition = group(tuple(Changes(n) for n in NAMES[:size]))
    for outcomes in product((True, False, None), repeat=size):
        padded = [*outcomes, *[False] * (len(NAMES) - size)]
        flat = [x for outcome in padded for x in ("a", "b", outcome)]
        expected = ends if ends in outcomes else None if None in outcomes else not ends
        assert compiled(condition)(*flat, False, False, False) is expected, outcomes


def test_not_turns_truth_around_and_leaves_unknown():
    """`not` of unknown is unknown."""
    found = [
        compiled(Not(Changes("status")))("a", "b", c, *[None] * 9, False, False, False) for c in (True, False, None)
    ]
    assert found == [False, True, None]


def test_what_the_grammar_allows_python_compiles():
    """The deepest condition that can be written compiles, whatever it nests."""
    compiled(parse_condition("not " * MAX_NESTING + "appears"))
    compiled(parse_condition(nested("(status placed -> confirmed or count rises and ", MAX_NESTING)))
    compiled(parse_condition(nested("not (status changes or count changes and ", MAX_NESTING // 2)))


def nested(head, depth):
    """Repeat a head, each in the parentheses of the one before."""
    return head * depth + "appears" + ")" * depth


@pytest.mark.parametrize("cell", ["1", 1])
def test_a_plain_value_is_compared_as_it_is_written(rig, cell):
    """Of a column whose type nobody declared, the text 1 and the number 1 both are 1."""
    mapping = orders("Paid: {when: notes any -> 1, tell: [notes], fact: order.notes}").replace("{text: notes}", "notes")
    bridge = rig(mapping)
    bridge.know(insert("orders", order_id=7, number=1007, stat="P"))
    said = bridge.commit(update("orders", {"order_id": 7}, notes=cell))
    assert [(s.type, s.data) for s in said] == [("Paid", {"notes": cell})]


def test_an_id_from_a_code_table_is_compared_as_it_is_written(rig):
    """What a code table gives may be a number."""
    bridge = rig(orders("Sent: {when: carrier changes and carrier is 12, tell: [carrier], fact: order.delivery}"))
    bridge.know(insert("carriers", carrier_id=1, code=12), insert("orders", order_id=7, number=1007, stat="P"))
    assert [s.data for s in bridge.commit(update("orders", {"order_id": 7}, carrier_id=1))] == [{"carrier": 12}]
