"""What Maven says becomes a rate and, if need be, one sentence."""

from __future__ import annotations

import io

import pytest

from figbridge.errors import Unreachable
from figbridge.sandbox import java, maven, parts
from figbridge.sandbox.maven import Download

REAL = (
    "Plugin org.apache.maven.plugins:maven-dependency-plugin:3.8.1 or one of its dependencies could not be resolved: "
    "Failed to read artifact descriptor for org.apache.maven.plugins:maven-dependency-plugin:jar:3.8.1: "
    "Could not transfer artifact org.apache.maven.plugins:maven-dependency-plugin:pom:3.8.1 from/to central "
    "(https://repo.maven.apache.org/maven2): transfer failed for https://repo.maven.apache.org/maven2/some.pom: "
    "Connect to 127.0.0.1:1 [/127.0.0.1] failed: Connection refused -> [Help 1]"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Progress (1): 18 kB", 18_000),
        ("Progress (1): 4.1/18 kB", 4_100),
        ("Progress (2): 1.2/5.0 MB | 8.2 kB", 1_208_200),
        ("Progress (1): 900 kB/149 MB", 900_000),
        ("Progress (1): 512 B", 512),
        ("Progress (1):", 0),
    ],
)
def test_a_line_of_progress_is_read(line: str, expected: int) -> None:
    """Each download that is under way counts with what has come of it."""
    assert maven.under_way(line) == expected


def test_what_is_complete_is_counted_once() -> None:
    """The last word is the sum of all files, whatever was told of them before."""
    out = io.BytesIO(
        b"Progress (1): 1.0/2.0 MB\rProgress (1): 2.0 MB\r\n"
        b"Downloaded from central: https://x/a.jar (2.0 MB at 1.0 MB/s)\n"
        b"Downloaded from mirror: https://x/b.pom (512 B at 10 kB/s)\n"
    )
    told: list[Download] = []
    assert maven._follow(out, told.append) == []
    assert (told[-1].bytes, told[-1].files) == (2_000_512, 2)


def test_the_cause_of_a_failure_is_one_sentence() -> None:
    """What could not be had, and why; not the chain of plugins that wanted it."""
    assert maven.cause([REAL]) == (
        "Could not transfer artifact org.apache.maven.plugins:maven-dependency-plugin:pom:3.8.1: "
        "transfer failed for https://repo.maven.apache.org/maven2/some.pom: "
        "Connect to 127.0.0.1:1 [/127.0.0.1] failed: Connection refused"
    )
    assert maven.cause([]) == "it gave no reason"
    assert maven.cause(["Non-parseable POM."]) == "Non-parseable POM"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Take every program away, and everything that was fetched."""
    empty = str(tmp_path_factory.mktemp("empty"))
    monkeypatch.setenv("PATH", empty)
    monkeypatch.setenv("XDG_CACHE_HOME", empty)
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.usefixtures("bare")
def test_without_java_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the computer's nor that of the wheel."""
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    with pytest.raises(Unreachable, match=r"There is no Java 17 here") as caught:
        parts.ensure(["kafka"])
    assert "openjdk-17" in caught.value.hint


@pytest.mark.usefixtures("bare")
def test_without_maven_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Java may be there; nothing is left in the cache but its lock."""
    monkeypatch.setattr(java, "_version", lambda _: 25)
    monkeypatch.setenv("JAVA_HOME", "/somewhere")
    with pytest.raises(Unreachable, match="Maven is not installed") as caught:
        parts.ensure(["kafka"])
    assert "maven" in caught.value.hint
    assert [p.name for p in parts.cache().iterdir()] == ["lock"]


@pytest.mark.usefixtures("bare")
def test_a_java_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel's Java is taken then; without it, the sentence says how old the other is."""
    monkeypatch.setenv("JAVA_HOME", "/old")
    monkeypatch.setattr(java, "_version", lambda program: 11 if "/old" in str(program) else 25)
    assert java.find().version == 25
    monkeypatch.setattr(java, "find_spec", lambda _: None)
    with pytest.raises(Unreachable, match="Java 11 is too old"):
        java.find()
