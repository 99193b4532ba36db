"""Strict YAML: what is kept, what is refused, and where."""

from __future__ import annotations

import pytest
import yaml
from documents_support import DESIGN
from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.errors import Place
from figbridge.mapping import parse_yaml
from figbridge.mapping.nodes import Findings, MapNode, Scalar, did_you_mean
from figbridge.mapping.parse_yaml import read_nodes, read_text


def found(text: str) -> list[str]:
    """Return what is refused in a text, one line each."""
    findings = Findings()
    read_nodes(text, "f.yaml", findings)
    return [str(finding) for finding in findings]


def nodes(text: str) -> MapNode:
    """Return the nodes of a text that nothing is wrong with."""
    findings = Findings()
    root = read_nodes(text, "f.yaml", findings)
    assert not list(findings)
    assert root is not None
    return root


def test_scalars_stay_what_was_written() -> None:
    """Every scalar stays the text that was written, also where YAML 1.1 sees booleans and numbers."""
    root = nodes("{NO: on, 01: 1_0, 1:30: ~, y: 0x1F, ON: 'no'}")
    assert root == {"NO": "on", "01": "1_0", "1:30": "~", "y": "0x1F", "ON": "no"}
    assert all(type(key) is Scalar and type(value) is Scalar for key, value in root.items())
    assert [value.plain for value in root.values()] == [True, True, True, True, False]


def test_nodes_know_their_place() -> None:
    """Lines and columns count from 1, of keys and of values."""
    root = nodes("a: 1\nbb:\n  - {c: ü, d: x}\n")
    inner = root["bb"][0]
    assert root.key("bb").place == Place("f.yaml", 2, 1)
    assert inner.place == Place("f.yaml", 3, 5)
    assert inner["d"].place == Place("f.yaml", 3, 15)


REFUSED = {
    "two equal keys": ("a: 1\nb: {c: 1, c: 2}", ["f.yaml:2:11: YAML003 the key `c` stands twice (first in line 2)"]),
    "keys equal as text": ("1: a\n'1': b", ["f.yaml:2:1: YAML003 the key `1` stands twice (first in line 1)"]),
    "anchor and alias": (
        "a: &x 1\nb: *x",
        [
            "f.yaml:1:4: YAML004 an anchor (`&x`) (write the value out where it is used)",
            "f.yaml:2:4: YAML004 an alias (`*x`) (write the value out where it is used)",
        ],
    ),
    "tag": (
        "a: !!str 1",
        ["f.yaml:1:4: YAML005 a tag (`tag:yaml.org,2002:str`) (every value stays the text that is written)"],
    ),
    "merge key": (
        "a: {<<: {b: 1}}",
        ["f.yaml:1:5: YAML006 a merge key (`<<`) (write the keys out where they are used)"],
    ),
    "two documents": (
        "a: 1\n---\nb: 2",
        ["f.yaml:2:1: YAML007 a second document in one file (write one document per file)"],
    ),
    "depth": ("a: " + "[" * 60 + "]" * 60, ["f.yaml:1:53: YAML008 nested more than 50 levels deep"]),
    "a key that is a list": ("? [a]\n: b", ["f.yaml:1:3: YAML010 a key must be text, found a list"]),
    "a key with nothing": (
        "a:\nb: 1",
        ["f.yaml:1:1: YAML011 nothing stands after `a:` (write null, or '' for empty text)"],
    ),
    "an empty item": ("a:\n  -\n  - b", ["f.yaml:2:4: YAML011 an empty item (write null, or '' for empty text)"]),
    "a list": ("- a", ["f.yaml:1:1: YAML012 the document must be a map, found a list"]),
    "nothing": ("# only a comment\n", ["f.yaml:1:1: YAML012 the document must be a map, found nothing"]),
    "a control character": ("a: 1\nb: x\x00y", ["f.yaml:2:5: YAML002 a character that YAML forbids: '\\x00'"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_says_more_than_one_sees_is_refused(case: str) -> None:
    """Each refusal is a finding with a stable code at the place of its cause."""
    text, expected = REFUSED[case]
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: [1, 2", "f.yaml:1:4:"),
        ("a: [\n\n", "f.yaml:1:5:"),
        ("a: 'x", "f.yaml:1:4:"),
        ("a: b: c", "f.yaml:1:5:"),
        ('a: "\\q"', "f.yaml:1:5:"),
    ],
)
def test_what_is_not_yaml_is_one_finding(text: str, place: str) -> None:
    """A syntax error is one finding where the parser gave up, or at what the end of the file leaves open."""
    (line,) = found(text)
    assert line.startswith(f"{place} YAML002 this is not YAML: ")


def test_too_large_a_file_is_refused_unread() -> None:
    """A file over the limit is refused before it is parsed."""
    assert found("a" * 1_000_001) == ["f.yaml: YAML009 the file has 1000001 characters, more than 1000000"]


def test_findings_do_not_stop_at_the_first() -> None:
    """Refusals that leave the rest of the file readable are reported together."""
    assert [line.split()[1] for line in found("a: &x 1\na: 2\nb: !t c\nd:\n")] == [
        "YAML004",
        "YAML003",
        "YAML005",
        "YAML011",
    ]


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path) -> None:
    """A missing file and bytes that are not UTF-8 are findings, not tracebacks; a byte order mark is nothing."""
    findings = Findings()
    assert read_text(tmp_path / "none.yaml", findings) is None
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: ü".encode("latin-1"))
    assert read_text(tmp_path / "latin.yaml", findings) is None
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read_text(tmp_path / "bom.yaml", findings) == "a: 1"
    missing, latin = findings
    assert (missing.code, missing.message) == ("YAML001", "the file cannot be read: No such file or directory")
    assert (latin.code, latin.place.line, latin.place.column) == ("YAML001", 2, 4)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: one two three", 1, 12),
        ("a: 'one two three'", 1, 13),
        ("a: 'it''s two three'", 1, 15),
        ('a: "one\\ttwo three"', 1, 14),
        ('a: "\\u0061ne two three"', 1, 18),
        ("a: one\n  two\n  three", 3, 3),
        ("a: 'one\n  two\n  three'", 3, 3),
        ("a: >-\n  one\n  two\n  three", 4, 3),
        ("a: |  # why\n  one two\n\n  three\n", 4, 3),
    ],
)
def test_a_place_inside_a_scalar(text: str, line: int, column: int) -> None:
    """A character of a scalar's text is found in the file, through quotes, escapes, folding and blocks."""
    value = nodes(text)["a"]
    assert value.at(value.index("three")) == Place("f.yaml", line, column)


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x85\u2028\u2029"), max_size=30),
    st.sampled_from([None, "'", '"']),
)
def test_places_inside_scalars_point_at_the_character(text: str, style: str | None) -> None:
    """For any text, however the dumper writes it, the place of a letter holds that letter."""
    written = yaml.dump({"a": text}, default_style=style, allow_unicode=True, width=10)
    findings = Findings()
    root = read_nodes(written, "f.yaml", findings)
    if root is None or "a" not in root or root["a"] != text:
        return
    value, lines = root["a"], written.split("\n")
    for index, character in enumerate(text):
        if character.isalnum() and "\\" not in written:
            place = value.at(index)
            assert lines[place.line - 1][place.column - 1] == character


def test_both_parsers_of_pyyaml_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast parser and the one in Python give the same nodes at the same places."""

    def shape(node: object) -> object:
        if isinstance(node, Scalar):
            return (str(node), node.place, node.plain, node.raw)
        if isinstance(node, dict):
            return [(shape(key), shape(value)) for key, value in node.items()]
        return [shape(each) for each in node]  # type: ignore[attr-defined]

    texts = [DESIGN, "a: é\nb: 'x''y'\nc: |\n  foo\n\n  bar\nd: [1,\n 2]\ne: >-\n  x\n  y\nf: p\n  q\n"]
    fast = [shape(nodes(text)) for text in texts]
    monkeypatch.setattr(parse_yaml, "_LOADER", yaml.SafeLoader)
    assert [shape(nodes(text)) for text in texts] == fast


def test_did_you_mean() -> None:
    """A hint is the nearest name, or the few there are, or nothing."""
    assert did_you_mean("stauts", ["status", "total"]) == "did you mean `status`?"
    assert did_you_mean("xyz", ["status", "total"]) == "known: status, total"
    assert did_you_mean("xyz", map(str, range(100))) == ""
