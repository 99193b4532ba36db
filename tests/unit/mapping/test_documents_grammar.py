"""The grammar of conditions: what parses, what each error says, and that text and tree are the same thing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.mapping.grammar import KEYWORDS, MAX_LENGTH, ConditionError, parse_condition, unparse
from figbridge.mapping.when import (
    And,
    Appears,
    Becomes,
    Changes,
    Condition,
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

PARSES = {
    "appears": Appears(),
    "disappears": Disappears(),
    "rekeyed": Rekeyed(),
    "total changes": Changes("total"),
    "stock rises": Rises("stock"),
    "stock falls": Falls("stock"),
    "payments.moves changes": Changes("payments.moves"),
    "status is placed": Is(Name("status"), "placed"),
    "was.status is not placed": Is(Name("status", "was"), "placed", negated=True),
    "total is -5": Is(Name("total"), "-5"),
    "flag is true": Is(Name("flag"), "true"),
    "status is 'any'": Is(Name("status"), "any"),
    'status is "it\'s \\"so\\""': Is(Name("status"), 'it\'s "so"'),
    "note is null": IsNull(Name("note")),
    "was.note is not null": IsNull(Name("note", "was"), negated=True),
    "status placed -> confirmed": Becomes("status", "placed", "confirmed"),
    "status placed->confirmed": Becomes("status", "placed", "confirmed"),
    "status any -> 'null'": Becomes("status", None, "null"),
    "status cancelled -> any": Becomes("status", "cancelled", None),
    "a changes and b changes or c changes": Or((And((Changes("a"), Changes("b"))), Changes("c"))),
    "not a changes and b changes": And((Not(Changes("a")), Changes("b"))),
    "not (a changes or b changes)": Not(Or((Changes("a"), Changes("b")))),
    "a changes and (b changes and c changes)": And((Changes("a"), And((Changes("b"), Changes("c"))))),
    "not not appears": Not(Not(Appears())),
    "isolated changes": Changes("isolated"),
    "note is\n  not null": IsNull(Name("note"), negated=True),
}


@pytest.mark.parametrize("text", PARSES)
def test_a_condition_is_this_tree(text: str) -> None:
    """`not` binds closer than `and`, `and` closer than `or`; a word that only begins like a keyword is a name."""
    assert parse_condition(text) == PARSES[text]


QUOTE = "a value like this stands in quotes: "
FAILS = {
    "": (0, "WHEN001", "expected a condition, found the end", ""),
    "status": (6, "WHEN001", "expected `changes`, `rises`, `falls`, `is` or `a -> b`, found the end", ""),
    "status is": (9, "WHEN001", "expected `not`, `null` or a value, found the end", ""),
    "status is and": (10, "WHEN001", "expected `not`, `null` or a value, found `and`", QUOTE + "'and'"),
    "status placed": (13, "WHEN001", "expected `->`, found the end", ""),
    "status placed -> null": (
        17,
        "WHEN001",
        "expected `any` or a value, found `null`",
        "a transition has no null; write `X is null and was.X is not null`",
    ),
    "status any -> any": (7, "WHEN001", "`any -> any` says nothing", "write `changes`"),
    "(a changes": (10, "WHEN001", "expected `and`, `or` or `)`, found the end", ""),
    "a changes b changes": (10, "WHEN001", "expected `and`, `or` or the end, found `b`", ""),
    "a changes or or b changes": (13, "WHEN001", "expected a condition, found `or`", ""),
    "status is 'x": (10, "WHEN001", "`'` cannot stand here", "a quote is not closed"),
    "appears and was.x changes": (12, "WHEN003", "`was.x`: `was.` stands only before `is`", ""),
    "was.x a -> b": (0, "WHEN003", "`was.x`: `was.` stands only before `is`", ""),
    "x" * (MAX_LENGTH + 1): (0, "WHEN002", f"a condition of {MAX_LENGTH + 1} characters, more than {MAX_LENGTH}", ""),
    "(" * 51 + "appears" + ")" * 51: (0, "WHEN002", "more than 50 parentheses and nots in one condition", ""),
}


@pytest.mark.parametrize("text", FAILS, ids=lambda text: text[:30] or "nothing")
def test_an_error_says_where_and_what_was_expected(text: str) -> None:
    """An error has the offset of the offending word and says in words what was expected."""
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    error = caught.value
    assert (error.offset, error.code, error.message, error.hint) == FAILS[text]


def test_names_are_resolved_with_offset_and_verb() -> None:
    """Each name is given to the resolver in reading order, with its offset and the verb that follows."""
    seen: list[tuple[str, int, str]] = []

    def resolve(name: str, offset: int, verb: str) -> str:
        seen.append((name, offset, verb))
        return name.upper()

    tree = parse_condition("a changes or was.b is x or c any -> y", resolve)
    assert seen == [("a", 0, "changes"), ("b", 17, "is"), ("c", 27, "->")]
    assert tree == Or((Changes("A"), Is(Name("B", "was"), "x"), Becomes("C", None, "y")))


names = st.from_regex(r"[a-z][A-Za-z0-9]{0,5}(\.[a-z][A-Za-z0-9]{0,5}){0,2}", fullmatch=True).filter(
    lambda name: not KEYWORDS & set(name.split("."))
)
texts = st.text(max_size=8) | st.sampled_from(sorted(KEYWORDS)) | st.sampled_from(["->", "a->b", "'", '"', "\\", "\\'"])
sided = st.builds(Name, names, st.sampled_from(["now", "was"]))
transitions = st.tuples(texts | st.none(), texts | st.none()).filter(lambda sides: sides != (None, None))
atom_trees = st.one_of(
    st.sampled_from([Appears(), Disappears(), Rekeyed()]),
    st.builds(Changes, names),
    st.builds(Rises, names),
    st.builds(Falls, names),
    st.builds(Is, sided, texts, st.booleans()),
    st.builds(IsNull, sided, st.booleans()),
    st.builds(lambda name, sides: Becomes(name, *sides), names, transitions),
)
trees: st.SearchStrategy[Condition] = st.recursive(
    atom_trees,
    lambda below: st.one_of(
        st.builds(Not, below),
        st.builds(lambda items: And(tuple(items)), st.lists(below, min_size=2, max_size=3)),
        st.builds(lambda items: Or(tuple(items)), st.lists(below, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(trees)
def test_every_tree_can_be_written_and_read_again(tree: Condition) -> None:
    """Unparsing a tree gives text that parses to the same tree, whatever its values hold."""
    assert parse_condition(unparse(tree)) == tree


@settings(deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*sorted(KEYWORDS), "a", "->", "(", ")", "'x'", "was.a"])).map(" ".join)
)
def test_any_text_is_a_condition_or_an_error_inside_it(text: str) -> None:
    """Any text parses or raises ConditionError with an offset within it."""
    offset = 0
    try:
        parse_condition(text)
    except ConditionError as error:
        offset = error.offset
    assert 0 <= offset <= len(text)
