"""`figbridge connectors` without any server: what is wrong with files and surroundings is told in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from figbridge.cli.exits import Exit
from figbridge.cli.main import run

ROOT = Path(__file__).parents[2]

DOCUMENT = """\
connector: legacy
database: {kind: postgres, host: db, name: shop, user: cdc, password: "${file:/run/s.properties:password}"}
log: {retention: 30d}
kafka: {servers: "kafka-1:9092"}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with one document and with settings at whose addresses nobody listens."""
    (tmp_path / "connect").mkdir()
    (tmp_path / "connect" / "legacy.yaml").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "figbridge.yaml").write_text(
        f"mappings: {ROOT / 'mappings'}\n"
        "connect:\n"
        "  url: http://127.0.0.1:1\n"
        f"  documents: {tmp_path / 'connect'}\n"
        "  kafka: {bootstrap.servers: '127.0.0.1:1'}\n",
        encoding="utf-8",
    )
    return tmp_path


def call(folder: Path, *words: str) -> Exit:
    """Call a command with the folder's settings."""
    return run(["connectors", *words, "--settings", str(folder / "figbridge.yaml")])


def test_without_a_connect_cluster_the_settings_are_named(capsys) -> None:
    """Whoever calls it first is told which setting is missing, and where to read on."""
    assert run(["connectors", "plan", "--mappings", str(ROOT / "mappings")]) is Exit.FINDINGS
    err = capsys.readouterr().err
    assert "SET011 `connect` is not set" in err
    assert "docs/connectors.md" in err


@pytest.mark.parametrize("words", [("plan",), ("apply",), ("status",), ("plugins",), ("stop", "legacy")])
def test_a_connect_that_is_gone_is_one_sentence(folder: Path, capsys, words: tuple[str, ...]) -> None:
    """No traceback, exit code 1, and the setting to check."""
    assert call(folder, *words) is Exit.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-2:] == [
        "error: CON001 Connect at http://127.0.0.1:1 does not answer: nothing listens there.",
        "hint:  check connect.url, and that a worker runs",
    ]


def test_every_finding_of_a_document_is_told_before_anything_is_reached(folder: Path, capsys) -> None:
    """All at once, each with its place."""
    wrong = DOCUMENT.replace("${file:/run/s.properties:password}", "hunter2").replace("30d", "long")
    (folder / "connect" / "legacy.yaml").write_text(wrong, encoding="utf-8")
    assert call(folder, "apply") is Exit.FINDINGS
    err = capsys.readouterr().err
    assert "legacy.yaml:3:18: DOC005" in err
    assert "hunter2" not in err


def test_what_is_generated_cannot_be_set(folder: Path, capsys) -> None:
    """The place is that of the key, and the reason is told."""
    more = DOCUMENT + "more: {max.batch.size: 10, errors.tolerance: all, message.key.columns: x}\n"
    (folder / "connect" / "legacy.yaml").write_text(more, encoding="utf-8")
    assert call(folder, "plan") is Exit.FINDINGS
    err = capsys.readouterr().err
    assert "legacy.yaml:5:28: CON029 `errors.tolerance` may not be set" in err
    assert "legacy.yaml:5:51: CON029 `message.key.columns` may not be set" in err
    assert err.splitlines()[-1] == "2 findings"


def test_an_unknown_connector_gets_the_known_ones(folder: Path, capsys) -> None:
    """Nothing is reached for it."""
    assert call(folder, "stop", "legaci") is Exit.REFUSED
    assert capsys.readouterr().err == "error: CON026 no document has a connector legaci\nhint:  known: legacy\n"


@pytest.mark.parametrize("words", [("delete", "legacy"), ("offsets", "reset", "legacy")])
def test_what_cannot_be_taken_back_wants_a_yes(folder: Path, capsys, words: tuple[str, ...]) -> None:
    """Where nobody can be asked, it must be said with the command."""
    assert call(folder, *words) is Exit.USAGE
    assert "--yes" in capsys.readouterr().err
