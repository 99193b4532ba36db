"""Settings: a file, then the environment, then options; every finding at once, with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from figbridge.cli.exits import Exit, exit_for
from figbridge.errors import ConfigurationError, Finding
from figbridge.settings import Source, load_settings

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of the machine take part."""
    import os

    for name in os.environ:
        if name.startswith("FIGBRIDGE_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes the settings file."""

    def written(text: str) -> Path:
        file = tmp_path / "figbridge.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def findings(file: Path | None = None) -> list[Finding]:
    """Return what is wrong, without the folder of the file."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    assert exit_for(caught.value) is Exit.FINDINGS
    return list(caught.value.findings)


def places(file: Path) -> list[str]:
    """Return the place, code and setting of each finding."""
    return [f"{f.place.line}:{f.place.column} {f.code} {f.message.partition(':')[0]}" for f in findings(file)]


def test_without_anything_the_defaults_hold() -> None:
    """A bridge needs no settings to be looked at."""
    settings = load_settings()
    assert settings.data == Path(".figbridge")
    assert settings.log_file == Path(".figbridge/log.db")
    assert settings.authority_file == Path(".figbridge/authority.db")
    assert settings.sources == {}


def test_a_file_sets_what_it_names(write: Write) -> None:
    """What a file does not name keeps its default."""
    file = write("batch: 7\nsources:\n  legacy: {host: db, database: shop, epoch: 3}\n")
    settings = load_settings(file)
    assert (settings.batch, settings.group) == (7, "bridge")
    assert settings.sources["legacy"] == Source(host="db", database="shop", epoch=3)


def test_an_empty_file_is_no_settings(write: Write) -> None:
    """A file that holds comments only is right."""
    assert load_settings(write("# nothing yet\n")) == load_settings()


def test_the_environment_wins_over_the_file_and_an_option_over_both(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearer to the person, the stronger."""
    file = write("batch: 7\ngroup: file\ndata: from-file\n")
    monkeypatch.setenv("FIGBRIDGE_GROUP", "environment")
    monkeypatch.setenv("FIGBRIDGE_DATA", "from-environment")
    settings = load_settings(file, data=Path("from-option"), mappings=None)
    assert (settings.batch, settings.group, settings.data) == (7, "environment", Path("from-option"))
    assert settings.mappings == Path("mappings")


def test_a_variable_adds_to_a_source_of_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password comes from the environment, all else from the file in git."""
    file = write("sources:\n  legacy: {host: db, database: shop}\n")
    monkeypatch.setenv("FIGBRIDGE_SOURCES__LEGACY__PASSWORD", "hunter2")
    source = load_settings(file).sources["legacy"]
    assert (source.host, source.database, source.secret()) == ("db", "shop", "hunter2")


def test_a_password_does_not_show(write: Write) -> None:
    """Settings may be printed."""
    settings = load_settings(write("sources: {legacy: {database: shop, password: hunter2}}\n"))
    assert "hunter2" not in f"{settings!r} {settings}"


def test_a_password_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """A secret mounted as a file wins over the other."""
    file = tmp_path / "secret"
    file.write_text("s3cret \n")
    assert Source(database="shop", password="other", password_file=file).secret() == "s3cret"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not text"])
def test_a_password_file_that_cannot_be_read_is_a_finding(tmp_path: Path, content: bytes | None) -> None:
    """No traceback, and not an empty password."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Source(database="shop", password_file=file).secret()
    assert [(f.code, f.place.file) for f in caught.value.findings] == [("SET005", str(file))]


def test_every_finding_of_a_file_comes_at_once_with_its_place(write: Write) -> None:
    """A person mends a file in one go."""
    file = write("batch: zero\nsorces: {}\nsources:\n  legacy:\n    database: shop\n    port: 99999\n    pasword: x\n")
    assert places(file) == [
        "1:1 SET001 batch",
        "2:1 SET001 sorces",
        "6:5 SET001 sources.legacy.port",
        "7:5 SET001 sources.legacy.pasword",
    ]


def test_a_setting_that_is_missing_is_shown_where_it_is_missing(write: Write) -> None:
    """The place is that of the source without a database."""
    assert places(write("sources:\n  legacy: {host: db}\n")) == ["2:3 SET001 sources.legacy.database"]


def test_a_finding_names_no_value(write: Write) -> None:
    """What stands where a number is expected may be a secret in the wrong place."""
    found = findings(write("batch: hunter2\nsources: {legacy: {database: shop, port: hunter2}}\n"))
    assert not any("hunter2" in str(f) for f in found)


def test_a_wrong_variable_is_a_finding_of_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is not blamed for what the environment overrides."""
    monkeypatch.setenv("FIGBRIDGE_BATCH", "many")
    assert [(f.place.file, f.code) for f in findings(write("batch: 7\n"))] == [("environment", "SET001")]
    monkeypatch.setenv("FIGBRIDGE_BATCH", "8")
    monkeypatch.setenv("FIGBRIDGE_SOURCES", "{not json")
    assert [(f.place.file, f.code) for f in findings()] == [("environment", "SET001")]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("batch: [1\n", "SET003", 2, 1),
        ("a: b: c\n", "SET003", 1, 5),
        ("- batch\n", "SET004", 1, 1),
        ("just text\n", "SET004", 1, 1),
        ("1: batch\n", "SET004", 1, 1),
    ],
)
def test_a_file_that_is_no_map_of_settings_is_a_finding(
    write: Write, text: str, code: str, line: int, column: int
) -> None:
    """A broken file is told with the place at which it breaks."""
    [found] = findings(write(text))
    assert (found.code, found.place.line, found.place.column) == (code, line, column)


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    """A file that is named must exist, and be text."""
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "none.yaml", tmp_path, binary):
        assert [(f.code, f.place.file) for f in findings(file)] == [("SET002", str(file))]
