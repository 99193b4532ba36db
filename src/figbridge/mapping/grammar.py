"""The grammar of `when`, `silent` and `never`: a condition's text becomes its typed tree, and back.

    appears and status is placed        status placed -> confirmed        status any -> cancelled
    stock falls                         not (total changes or lines changes)

Values are bare words or numbers, or quoted when they are words of the grammar or hold blanks: `status is 'any'`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

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

MAX_LENGTH: Final = 4_000
MAX_NESTING: Final = 50

_RESERVED: Final = "appears disappears rekeyed changes rises falls is not null any and or was change parent"
KEYWORDS: Final = frozenset(_RESERVED.split())
"""Words that cannot name attributes and relations."""

Resolve = Callable[[str, int, str], str]
"""Turn a name as written, with its offset in the text and the verb after it, into the attribute's full name."""

_GRAMMAR: Final = r"""
?start: or
?or: and (_OR and)*
?and: not (_AND not)*
?not: NOT not | atom | "(" or ")"
?atom: APPEARS                      -> appears
     | DISAPPEARS                   -> disappears
     | REKEYED                      -> rekeyed
     | WORD CHANGES                 -> changes
     | WORD RISES                   -> rises
     | WORD FALLS                   -> falls
     | WORD IS NULL                 -> is_null
     | WORD IS NOT NULL             -> is_not_null
     | WORD IS value                -> is_
     | WORD IS NOT value            -> is_not
     | WORD side "->" side          -> becomes
?side: ANY | value
?value: WORD | QUOTED

APPEARS: "appears"
DISAPPEARS: "disappears"
REKEYED: "rekeyed"
CHANGES: "changes"
RISES: "rises"
FALLS: "falls"
IS: "is"
NOT: "not"
NULL: "null"
ANY: "any"
_AND: "and"
_OR: "or"
QUOTED: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
WORD: /(?:(?!->)[^\s()'"])+/
%ignore /\s+/
"""

_WORDS: Final = {
    "CHANGES": "`changes`",
    "RISES": "`rises`",
    "FALLS": "`falls`",
    "IS": "`is`",
    "NOT": "`not`",
    "NULL": "`null`",
    "_AND": "`and`",
    "_OR": "`or`",
    "ANY": "`any`",
    "RPAR": "`)`",
    "LPAR": "`(`",
    "__ANON_0": "`->`",
    "WORD": "a value",
    "$END": "the end",
}
_STARTS: Final = frozenset({"APPEARS", "DISAPPEARS", "REKEYED", "WORD", "NOT", "LPAR"})
_AFTER_NAME: Final = frozenset({"CHANGES", "RISES", "FALLS", "IS"})
_BARE_ATOMS: Final[dict[str, type[Appears | Disappears | Rekeyed]]] = {
    "appears": Appears,
    "disappears": Disappears,
    "rekeyed": Rekeyed,
}
_VERBS: Final[dict[str, type[Changes | Rises | Falls]]] = {"changes": Changes, "rises": Rises, "falls": Falls}
_GROUPS: Final[dict[str, type[And | Or]]] = {"and": And, "or": Or}
_BARE: Final = re.compile(r"""(?:(?!->)[^\s()'"])+""")


class ConditionError(Exception):
    """Say what is wrong with a condition's text, with the offset of the offending word."""

    def __init__(self, offset: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.offset, self.code, self.message, self.hint = offset, code, message, hint


def parse_condition(text: str, resolve: Resolve = lambda name, _offset, _verb: name) -> Condition:
    """Parse a condition; `resolve` sees each name with its offset. Raises ConditionError."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if len(text) > MAX_LENGTH:
        raise ConditionError(0, "WHEN002", f"a condition of {len(text)} characters, more than {MAX_LENGTH}")
    if text.count("(") + len(re.findall(r"\bnot\b", text)) > MAX_NESTING:
        raise ConditionError(0, "WHEN002", f"more than {MAX_NESTING} parentheses and nots in one condition")
    try:
        tree = _parser().parse(text)
    except UnexpectedToken as error:
        end = error.token.type == "$END"
        offset = len(text) if end else error.token.start_pos or 0
        found = "the end" if end else f"`{error.token}`"
        message = f"expected {_expected(error.expected, text[:offset])}, found {found}"
        raise ConditionError(offset, "WHEN001", message, _advice(error.token, error.expected)) from None
    except UnexpectedCharacters as error:
        offset = int(error.pos_in_stream)  # type: ignore[call-overload]
        hint = "a quote is not closed" if text[offset] in "'\"" else ""
        raise ConditionError(offset, "WHEN001", f"`{text[offset]}` cannot stand here", hint) from None
    return _build(tree, resolve)


@cache
def _parser() -> Any:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="basic", maybe_placeholders=False)


def _expected(terminals: set[str], before: str) -> str:
    if terminals >= _STARTS:
        return "a condition"
    if terminals >= _AFTER_NAME:
        return "`changes`, `rises`, `falls`, `is` or `a -> b`"
    if terminals & {"_AND", "_OR", "RPAR"}:  # the parser has folded what stands before, and forgot some that may follow
        return f"`and`, `or` or {'`)`' if before.count('(') > before.count(')') else 'the end'}"
    words = [word for name, word in _WORDS.items() if name in terminals]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _advice(token: Any, expected: set[str]) -> str:
    if "WORD" not in expected or expected >= _STARTS:
        return ""
    if token.type == "NULL":
        return "a transition has no null; write `X is null and was.X is not null`"
    return f"a value like this stands in quotes: '{token}'" if token in KEYWORDS else ""


def _build(node: Any, resolve: Resolve) -> Condition:
    """Make the typed tree of lark's; recursion is bounded by MAX_NESTING."""
    kind, args = node.data, node.children
    if kind in _BARE_ATOMS:
        return _BARE_ATOMS[kind]()
    if kind in _GROUPS:
        return _GROUPS[kind](tuple(_build(child, resolve) for child in args))
    if kind == "not":
        return Not(_build(args[1], resolve))
    if kind in _VERBS:
        return _VERBS[kind](_attribute(args[0], resolve, kind))
    if kind in ("is_null", "is_not_null"):
        return IsNull(_name(args[0], resolve), kind == "is_not_null")
    if kind in ("is_", "is_not"):
        return Is(_name(args[0], resolve), _value(args[-1]), kind == "is_not")
    old, new = (None if side.type == "ANY" else _value(side) for side in (args[1], args[-1]))
    if old is None and new is None:
        raise ConditionError(args[1].start_pos, "WHEN001", "`any -> any` says nothing", "write `changes`")
    return Becomes(_attribute(args[0], resolve, "->"), old, new)


def _attribute(word: Any, resolve: Resolve, verb: str) -> str:
    if word.startswith("was."):
        raise ConditionError(word.start_pos, "WHEN003", f"`{word}`: `was.` stands only before `is`")
    return resolve(str(word), word.start_pos, verb)


def _name(word: Any, resolve: Resolve) -> Name:
    if word.startswith("was."):
        return Name(resolve(str(word[4:]), word.start_pos + 4, "is"), "was")
    return Name(resolve(str(word), word.start_pos, "is"))


def _value(token: Any) -> str:
    text = str(token)
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL) if token.type == "QUOTED" else text


def unparse(condition: Condition, spell: Callable[[str], str] = lambda name: name) -> str:
    """Write a condition as text that parses to it again; `spell` says how an attribute's full name is written."""
    match condition:
        case Appears() | Disappears() | Rekeyed():
            return type(condition).__name__.lower()
        case Changes(attribute) | Rises(attribute) | Falls(attribute):
            return f"{spell(attribute)} {type(condition).__name__.lower()}"
        case Is(name, value, negated):
            return f"{_spell(name, spell)} is {'not ' * negated}{_quote(value)}"
        case IsNull(name, negated):
            return f"{_spell(name, spell)} is {'not ' * negated}null"
        case Becomes(attribute, old, new):
            sides = ("any" if side is None else _quote(side) for side in (old, new))
            return f"{spell(attribute)} {' -> '.join(sides)}"
        case Not(item):
            return f"not {_group(item, spell)}"
        case And(items):
            return " and ".join(_group(item, spell) for item in items)
        case Or(items):
            return " or ".join(_group(item, spell) for item in items)


def _group(condition: Condition, spell: Callable[[str], str]) -> str:
    text = unparse(condition, spell)
    return f"({text})" if isinstance(condition, And | Or) else text


def _spell(name: Name, spell: Callable[[str], str]) -> str:
    return f"was.{spell(name.attribute)}" if name.side == "was" else spell(name.attribute)


def _quote(value: str) -> str:
    if _BARE.fullmatch(value) and value not in KEYWORDS:
        return value
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
