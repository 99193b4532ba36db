"""docs/codes.md and the code have the same codes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from figbridge.adapters.debezium.reasons import Reason
from figbridge.mapping.codes import CODES
from figbridge.pipeline.collect import Doubt

from .pages import ROOT, page, rows

CODE = re.compile(r"[A-Z]{3,5}\d{3}")
PAGE = page("docs/codes.md")
DOCTOR = page("docs/doctor.md")
SOURCES = {p: p.read_text(encoding="utf-8") for p in sorted((ROOT / "src").rglob("*.py"))}


def texts(path: Path) -> set[str]:
    """Return every text that stands alone in a file's code."""
    tree = ast.parse(SOURCES[path])
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def codes_in_code() -> set[str]:
    """Return every code of the form ABC123 that the program can give."""
    return {text for path in SOURCES for text in texts(path) if CODE.fullmatch(text)}


def test_codes_of_findings_and_errors_are_documented_and_exist() -> None:
    """The page, and doctor's for its checks, has each code that the program can give, once, and no other."""
    documented = [row[0] for text in (PAGE, DOCTOR) for row in rows(text) if CODE.fullmatch(row[0])]
    assert len(documented) == len(set(documented))
    assert set(documented) == codes_in_code()


def test_the_meaning_of_a_documents_code_is_that_of_the_catalogue() -> None:
    """The page says of a code what mapping/codes.py says, and how severe it is."""
    documented = {row[0]: (row[1], row[2]) for row in rows(PAGE, "Findings in documents")}
    for code, meaning in CODES.items():
        assert documented[code] == (meaning.severity, meaning.text)


def test_reasons_of_dead_letters_are_documented() -> None:
    """The page has each reason that a dead letter can have, and no other."""
    made = {r.value for r in Reason}
    for path, source in SOURCES.items():
        made |= set(re.findall(r"\bDead\(\s*\"([A-Z_]+)\"", source)) if "pipeline" in path.parts else set()
    assert {row[0] for row in rows(PAGE, "Why a record is dead")} == made


def test_codes_of_parked_keys_are_documented() -> None:
    """The page has each code that a parked key can have, and no other."""
    made = {code for source in SOURCES.values() for code in re.findall(r"\bPark\(\s*['\"]([A-Z_]+)['\"]", source)}
    assert {row[0] for row in rows(PAGE, "Why a key is parked")} == made


def test_doubts_are_documented() -> None:
    """The page has each sign that makes a transaction suspect, and no other."""
    assert {row[0] for row in rows(PAGE, "Why a transaction is suspect")} == {d.value for d in Doubt}


def test_every_row_says_what_to_do() -> None:
    """A code without a next step helps nobody."""
    for row in rows(PAGE):
        assert all(cell for cell in row), f"{row[0]} has an empty cell"
