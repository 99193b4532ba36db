"""docs/troubleshooting.md speaks of codes that there are, and each row leads on."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from figbridge.cli.main import cli

from .pages import page, rows

PAGE = rows(page("docs/troubleshooting.md"))
CODES = {row[0]: row for text in (page("docs/codes.md"), page("docs/doctor.md")) for row in rows(text)}


@pytest.mark.parametrize("row", PAGE, ids=lambda row: f"{row[2]}-{row[1]}")
def test_a_row_has_a_code_of_the_catalogue_and_a_command(row: list[str]) -> None:
    """A code that the program does not give, or a command that is none, sends a reader astray."""
    symptom, where, code, cause, following = row
    assert symptom
    assert cause.endswith(".")
    assert code in CODES, "docs/codes.md and docs/doctor.md are held against the code"
    assert set(where.split(", ")) <= {"run", "connectors", "doctor"}
    whole = re.match("figbridge|openssl", following)  # the ticks around a whole cell are not given
    called = [following] if whole else re.findall(r"`((?:figbridge|openssl) [^`]*)`", following)
    assert called or "](" in following
    for line in called:
        words = shlex.split(line.partition(" --")[0])
        command: click.Command = cli
        while words[0] == "figbridge" and len(words) > 1 and isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(1))
            assert found is not None, line
            command = found


def test_what_people_get_wrong_most_often_has_a_row_for_each_command() -> None:
    """Wrong password, expired certificate, a broker that is gone, a missing table, slot, publication or topic, and a
    connector that somebody changed."""
    told = {(row[2], command) for row in PAGE for command in row[1].split(", ")}
    assert told >= {
        ("KAF005", "run"), ("KAF005", "connectors"), ("KAF007", "run"), ("KAF007", "connectors"),
        ("SRC001", "run"), ("CON040", "connectors"), ("OPS001", "run"), ("CON030", "connectors"),
        ("DRF001", "run"), ("CON014", "connectors"), ("PRE080", "doctor"),
        ("SRC002", "run"), ("CON016", "connectors"), ("PRE020", "doctor"), ("PRE005", "doctor"),
        ("KAF006", "run"), ("PRE070", "doctor"), ("CON010", "connectors"), ("PRE051", "doctor"),
    }  # fmt: skip
