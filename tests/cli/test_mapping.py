"""`figbridge mapping lint | test | show`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from .conftest import Figbridge
from .support import MAPPINGS, ROOT

EXAMPLE = ROOT / "mappings"

BROKEN = """\
mapping: parts
version: 1
source: {table: shop.parts, key: part_id, befor: required}
about: {aggregate: Part, id: "part-{part_id}"}
read:
  name: {text: nm, trimm: right}
  state: {code: st, of: {A: active, D: dead}}
facts:
  part.state: [name, stat]
events:
  PartDied: {when: state active => dead, tell: [name], fact: part.stat}
"""

DOUBTFUL = """\
mapping: parts
version: 1
source: {table: shop.parts, key: part_id}
about: {aggregate: Part, id: "part-{part_id}"}
read:
  name: {text: nm}
  state: {code: st, of: {A: active, D: dead}}
facts:
  part.state: [state]
events:
  PartDied: {when: state active -> dead, tell: [name], fact: part.state}
tests:
  - name: it dies
    given: [{parts: {part_id: 1, nm: bolt, st: A}}]
    tx: [{update: {parts: {part_id: 1, nm: bolt, st: [A, D]}}}]
    expect: [{PartDied: {id: part-1, name: bolt}}]
  - name: it lives
    given: [{parts: {part_id: 1, nm: bolt, st: A}}]
    tx: [{update: {parts: {part_id: 1, nm: bolt, st: [A, D]}}}]
    expect: nothing
"""


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Give a folder with a mapping that loads, lacks some things, and has one test that fails."""
    (tmp_path / "parts.yaml").write_text(DOUBTFUL)
    return tmp_path


def test_the_worked_example_has_no_finding(figbridge: Figbridge) -> None:
    """What people learn from is right."""
    said = figbridge("mapping", "lint", "-m", EXAMPLE)
    assert said == (0, "0 findings\n", "")


def test_lint_of_a_broken_file_gives_every_finding_with_its_place(figbridge: Figbridge, tmp_path: Path) -> None:
    """file:line:column CODE message (hint), all of them, on stdout: they are the result."""
    (tmp_path / "parts.yaml").write_text(BROKEN)
    said = figbridge("mapping", "lint", "-m", tmp_path)
    assert (said.code, said.err) == (3, "")
    *findings, last = said.out.splitlines()
    found = [re.fullmatch(rf"{tmp_path}/parts\.yaml:(\d+:\d+): ([A-Z]+\d+) .+", line) for line in findings]
    assert [(m[1], m[2]) for m in found if m] == [
        ("3:43", "DOC001"),
        ("6:20", "DOC001"),
        ("9:22", "NAME001"),
        ("11:33", "WHEN001"),
        ("11:62", "NAME004"),
    ]
    assert last == "5 findings"
    assert "did you mean" in said.out


def test_lint_speaks_to_programs(figbridge: Figbridge, parts: Path) -> None:
    """JSON and YAML have place, code, message and hint apart."""
    as_json = json.loads(figbridge("mapping", "lint", "-m", parts, "-o", "json").out)
    as_yaml = yaml.safe_load(figbridge("mapping", "lint", "-m", parts, "-o", "yaml").out)
    assert as_json == as_yaml
    assert {(f["line"], f["code"]) for f in as_json} == {(6, "MAP001"), (6, "MAP004"), (7, "MAP005")}
    assert all(set(f) == {"file", "line", "column", "code", "message", "hint"} for f in as_json)


def test_a_folder_without_documents_has_nothing_to_say(figbridge: Figbridge, tmp_path: Path) -> None:
    """An empty folder is no error; one that does not exist is a wrong call."""
    assert figbridge("mapping", "lint", "-m", tmp_path) == (0, "0 findings\n", "")
    assert figbridge("mapping", "lint", "-m", tmp_path / "none").code == 2


def test_the_tests_of_the_worked_example_pass(figbridge: Figbridge) -> None:
    """They are run through the real pipeline."""
    said = figbridge("mapping", "test", "-m", EXAMPLE)
    assert said.code == 0
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed\n", said.out)


def test_a_failed_test_is_told_with_its_place_and_difference(figbridge: Figbridge, parts: Path) -> None:
    """Exit 3; what came instead is shown."""
    said = figbridge("mapping", "test", "-m", parts)
    assert (said.code, said.err) == (3, "")
    assert re.search(r"^FAILED  parts: it lives  \(\S+parts\.yaml:17:11\)$", said.out, re.MULTILINE)
    assert "PartDied" in said.out
    assert said.out.endswith("1 passed, 1 failed\n")
    assert figbridge("mapping", "test", "-m", parts, "--only", "dies").code == 0
    [passed, failed] = json.loads(figbridge("mapping", "test", "-m", parts, "-o", "json").out)
    assert (passed["passed"], failed["passed"]) == (True, False)


def test_show_tells_what_is_remembered_and_why(figbridge: Figbridge) -> None:
    """The cost of a mapping is told before anybody pays it."""
    said = figbridge("mapping", "show", "orders", "-m", MAPPINGS)
    assert said.code == 0
    assert "OrderRevised may happen when only lines changes" in said.out
    [shown] = json.loads(figbridge("mapping", "show", "orders", "-m", MAPPINGS, "-o", "json").out)
    assert shown["aggregate"] == "Order"
    assert {e["type"] for e in shown["events"]} >= {"OrderPlaced", "OrderConfirmed"}


def test_show_prints_code_that_is_python(figbridge: Figbridge) -> None:
    """What runs can be read, and holds nothing that a person wrote."""
    said = figbridge("mapping", "show", "orders", "-m", MAPPINGS, "--code")
    compile(said.out, "shown", "exec")
    assert "def judge(" in said.out
    for written in ("placed", "tot_amt", "shop.orders", "Europe", "OrderPlaced"):
        assert written not in said.out
