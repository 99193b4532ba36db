"""Rules of the house that no linter knows: sizes, no sleeping, marks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted(p for folder in ("tests", "benchmarks") for p in (ROOT / folder).rglob("*.py"))


def lines(path: Path) -> int:
    """Return the number of lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def calls(path: Path) -> set[str]:
    """Return the last part of every name that a file calls."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {f.attr if isinstance(f, ast.Attribute) else f.id for f in called if isinstance(f, ast.Attribute | ast.Name)}


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    """A file that nobody can read in one go is two files."""
    assert [str(p) for p in (*SOURCES, *TESTS) if lines(p) > 500] == []


def test_the_median_file_has_at_most_a_hundred_lines() -> None:
    """Most files hold one idea."""
    assert median(lines(p) for p in SOURCES) <= 100


def test_the_life_of_a_row_change_fits_on_two_screens() -> None:
    """process.py shows the steps and leaves the work to others."""
    assert lines(ROOT / "src" / "figbridge" / "pipeline" / "process.py") <= 120


@pytest.mark.parametrize("path", [p for p in TESTS if "tests" in p.parts], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_test_sleeps(path: Path) -> None:
    """A test waits for a condition with a deadline; a sleep is too short on a busy machine, else too long."""
    assert "sleep" not in calls(path)


def test_every_test_states_its_rule() -> None:
    """A test, or the file it is in, says which rule it guards."""
    for path in TESTS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tests = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]
        for test in tests:
            assert ast.get_docstring(tree) or ast.get_docstring(test), f"{path}: {test.name}"


def test_every_file_of_faults_is_marked_so() -> None:
    """`make test` makes few kills and `make faults` many: both find them by their mark."""
    for path in (ROOT / "tests" / "faults").glob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"pytestmark = .*pytest\.mark\.faults", text, re.DOTALL), path


def test_every_package_says_what_lives_in_it() -> None:
    """A reader who opens a folder finds a sentence about it."""
    for path in (ROOT / "src").rglob("__init__.py"):
        if path.parent.name not in ("migrations", "versions"):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_constraints_pin_every_package_exactly() -> None:
    """What is installed today is what was tested: name==version, no addresses, no paths."""
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), line
