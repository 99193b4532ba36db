"""Properties of the loader: it never fails in any other way than with findings, and what it dumps it loads again."""

from __future__ import annotations

import re
from typing import Any

import yaml
from documents_support import DESIGN, REPOSITORY, SMALL, documents, edited, placeless
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.errors import ConfigurationError
from figbridge.mapping import model as m
from figbridge.mapping.loader import (
    dump_mapping,
    load_mappings,
    parse_facts,
    parse_mapping,
    parse_service,
    parse_tables,
)
from figbridge.mapping.rules import lint

REAL = [DESIGN, SMALL, *(path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "mappings").glob("*.yaml")))]
TOKENS = [
    *sorted({token for text in REAL for token in re.findall(r"[\w.]+|[^\w\s]", text)}),
    "was.status",
    "parent.x",
    "\n",
]


class WithoutAliases(yaml.SafeDumper):
    """Write a value that stands in two places out in both."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def judged(text: str) -> m.Mapping | None:
    """Load a text as every kind of document; whatever comes is a value or ConfigurationError with findings."""
    mapping = None
    for parse in (parse_mapping, parse_service, parse_facts, parse_tables):
        value: Any = None
        files = set()
        try:
            value = parse(text, "x.yaml")
        except ConfigurationError as error:
            files = {finding.place.file for finding in error.findings}
        assert value is not None or files == {"x.yaml"}
        if isinstance(value, m.Mapping):
            mapping = value
    return mapping


@settings(deadline=None)
@given(
    st.text(max_size=200)
    | st.text(alphabet="ab:{}[],-?&*!|>'\"%@`#\n\t \\<", max_size=60)
    | st.binary(max_size=80).map(lambda b: b.decode("latin-1"))
)
def test_any_text_loads_or_has_findings(text: str) -> None:
    """Arbitrary text never raises anything but ConfigurationError."""
    judged(text)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Draw one of the real documents with a few tokens replaced, taken out, doubled, or put in."""
    text = draw(st.sampled_from(REAL))
    parts = re.findall(r"[\w.]+|\s+|[^\w\s]", text)
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(parts) - 1))
        what = draw(st.sampled_from(["replace", "drop", "double", "insert", "cut"]))
        if what == "replace":
            parts[index] = draw(st.sampled_from(TOKENS))
        elif what == "drop":
            parts[index] = ""
        elif what == "double":
            parts[index] *= 2
        elif what == "insert":
            parts.insert(index, draw(st.sampled_from(TOKENS)))
        else:
            del parts[index : index + draw(st.integers(1, 30))]
    return "".join(parts)


@settings(max_examples=40, deadline=None)
@given(mutations())
def test_a_damaged_document_loads_or_has_findings(text: str) -> None:
    """A damaged document never raises anything but ConfigurationError; what loads can be linted and dumped."""
    mapping = judged(text)
    if mapping is not None:
        lint(documents(text))
        assert placeless(parse_mapping(dump_mapping(mapping))) == placeless(mapping)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(TOKENS),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(TOKENS), below, max_size=3),
    max_leaves=5,
)


@st.composite
def misshapen(draw: st.DrawFn) -> str:
    """Draw a real document in which some parts are replaced by values of any shape."""
    root = yaml.safe_load(draw(st.sampled_from([DESIGN, SMALL])))
    for _ in range(draw(st.integers(1, 4))):
        node = root
        for _ in range(draw(st.integers(0, 4))):
            keys = [
                k
                for k, v in (node.items() if isinstance(node, dict) else enumerate(node))
                if v and isinstance(v, dict | list)
            ]
            if not keys:
                break
            node = node[draw(st.sampled_from(keys))]
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if keys:
            node[draw(st.sampled_from(keys))] = draw(anything)
        if isinstance(node, dict) and draw(st.booleans()):
            node[draw(st.sampled_from(TOKENS))] = draw(anything)
    return yaml.dump(root, Dumper=WithoutAliases, sort_keys=False)


@settings(max_examples=40, deadline=None)
@given(misshapen())
def test_a_misshapen_document_loads_or_has_findings(text: str) -> None:
    """Values of the wrong shape anywhere never raise anything but ConfigurationError."""
    judged(text)


def test_real_documents_survive_a_round_trip() -> None:
    """Each real mapping, dumped and loaded again, is the same up to places; and dumping is then a fixed point."""
    mappings = [parse_mapping(DESIGN), parse_mapping(SMALL), *load_mappings(REPOSITORY / "mappings").mappings]
    for mapping in mappings:
        written = dump_mapping(mapping)
        again = parse_mapping(written)
        assert placeless(again) == placeless(mapping)
        assert dump_mapping(again) == written


def test_a_round_trip_keeps_names_apart() -> None:
    """Where a relation has its parent's name a full name would mean another attribute; the short one is written."""
    text = edited(
        SMALL,
        (
            "      moves: {table",
            "      payments: {table: shop.parts, key: part_id, pointed: part_id}\n      moves: {table",
        ),
        ("payments: {method: meth}", "payments: {method: meth}\n  payments.payments: {method: meth}"),
        ("[payments, payments.moves]", "[payments, payments.payments, payments.moves]"),
        (
            "silent:",
            "  PaymentOpened: {for: payments, when: method changes, tell: [method], fact: order.payment}\nsilent:",
        ),
    )
    mapping = parse_mapping(text)
    assert mapping.events[-1].tell[0].attribute == "payments.method"
    assert placeless(parse_mapping(dump_mapping(mapping))) == placeless(mapping)


names = st.from_regex(r"[a-z][A-Za-z0-9]{0,4}", fullmatch=True).map(lambda name: f"n{name}")
columns = st.text(st.characters(codec="ascii", min_codepoint=33, exclude_characters=".{}"), min_size=1, max_size=6)
anywhere = columns | columns.map(lambda c: f"address.{c}")
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]), max_size=8)
policies = st.sampled_from([{}, {"otherwise": "raw"}, {"otherwise": "null"}])
plain_leaves = st.one_of(
    st.builds(lambda c, t: {"text": c, "trim": t}, anywhere, st.sampled_from(["none", "left", "both"])),
    st.builds(lambda k, c: {k: c}, st.sampled_from(["int", "decimal", "date", "json", "uuid"]), anywhere),
    st.builds(
        lambda c, u: {"money": c, "currency": u}, anywhere, st.just("EUR") | anywhere.map(lambda c: {"column": c})
    ),
    st.builds(lambda c, n: {"money": c, "currency": "USD", "minor": n}, anywhere, st.integers(0, 9).map(str)),
    st.builds(
        lambda c, of: {"bool": c, "of": of},
        anywhere,
        st.dictionaries(words, st.sampled_from(["true", "false"]), max_size=3),
    ),
    st.builds(lambda c, of: {"code": c, "of": of}, anywhere, st.dictionaries(words, words, min_size=1, max_size=3)),
    st.builds(lambda c: {"ref": "Customer", "from": c}, anywhere),
    st.builds(
        lambda c, u, f: {"instant": c, "zone": "Europe/Berlin", "unit": u, "fold": f},
        anywhere,
        st.sampled_from(["us", "s"]),
        st.sampled_from(["earlier", "later"]),
    ),
    st.builds(lambda c, u: {"time": c, "unit": u}, anywhere, st.sampled_from(["us", "ms"])),
    st.builds(lambda c, ls: {"address": c, "lines": ls}, anywhere, st.sampled_from([["a"], ["a b", "c"]])),
    st.builds(lambda cs, by: {"join": cs, "by": by}, st.lists(anywhere, min_size=1, max_size=3), words),
    st.builds(lambda v: {"constant": v}, words),
)
leaves = anywhere | st.builds(lambda leaf, policy: {**leaf, **policy}, plain_leaves, policies)
readers = st.recursive(
    leaves,
    lambda below: (
        st.builds(lambda of: {"object": of}, st.dictionaries(names, below, min_size=1, max_size=3))
        | st.builds(
            lambda of: {"each": "payments.moves", "as": of}, st.dictionaries(names, leaves, min_size=1, max_size=3)
        )
    ),
    max_leaves=4,
)
cells = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | words
    | st.sampled_from(["007", "1.5", "null", "~", "true", "7", ""]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(columns, below, max_size=2),
    max_leaves=4,
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """Draw a valid mapping document with any readers, rows, noise and test cells."""
    root = yaml.safe_load(SMALL)
    for name, reader in draw(st.dictionaries(names, readers, max_size=4)).items():
        root["read"][name] = reader
        root["facts"]["order.status"].append(name)
        root["silent"].append(f"{name} changes and was.{name} is not null")
    root["read"]["payments"] |= draw(st.dictionaries(names, columns | columns.map(lambda c: f"parent.{c}"), max_size=2))
    root["unused"] = draw(
        st.dictionaries(anywhere | columns.map(lambda c: f"lines.{c}"), words.filter(str.strip), max_size=3)
    )
    steps = st.builds(
        lambda op, row: {op: {"orders": row}},
        st.sampled_from(["insert", "update", "delete"]),
        st.dictionaries(columns, cells, min_size=1, max_size=3),
    )
    root["tests"] = [
        {
            "name": "any",
            "txs": draw(st.lists(st.lists(steps, min_size=1, max_size=2), min_size=1, max_size=2)),
            "expect": "nothing",
        }
    ]
    return yaml.dump(root, Dumper=WithoutAliases, sort_keys=False, allow_unicode=True)


@settings(max_examples=40, deadline=None)
@given(written())
def test_any_valid_document_survives_a_round_trip(text: str) -> None:
    """Whatever readers, names and cells a document has, dumping and loading gives the same mapping."""
    mapping = parse_mapping(text)
    assert placeless(parse_mapping(dump_mapping(mapping))) == placeless(mapping)
