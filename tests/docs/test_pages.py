"""Pages are true where a machine can tell: links lead somewhere, commands exist, what is said to run runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from figbridge.cli.exits import Exit
from figbridge.cli.main import cli, run

from .pages import ROOT, anchors, blocks, commands, links, page, pages

PAGES = pages()
NAMES = [str(p.relative_to(ROOT)) for p in PAGES]
WORKPLACE = re.compile(
    r"\bTODO\b|\bFIXME\b|\bXXX\b|/work/|/root/|/home/|https?://[^\s)]*(pypi|artifactory|nexus)", re.IGNORECASE
)


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_relative_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    """A page links only to what is in the repository, and to a heading that is there."""
    text = path.read_text(encoding="utf-8")
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link} has no such heading"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_every_command_in_a_page_exists_with_its_options(path: Path) -> None:
    """Whoever copies a command from a page, at 3 a.m., gets no usage error."""
    for line in commands(path.read_text(encoding="utf-8")):
        words = shlex.split(line)[1:]
        command: click.Command = cli
        context = click.Context(cli)
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            found = command.get_command(context, words[0])
            assert found is not None, f"{line}: there is no command {words[0]}"
            command, words = found, words[1:]
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        for word in words:
            if word.startswith("-"):
                assert word.partition("=")[0] in known, f"{line}: {word} is no option of it"


@pytest.mark.parametrize("path", PAGES, ids=NAMES)
def test_no_page_speaks_of_a_workplace_or_of_unfinished_text(path: Path) -> None:
    """A page is for its reader: no machine's folders, no package index, no reminder to its writer."""
    found = WORKPLACE.search(path.read_text(encoding="utf-8"))
    assert found is None, found


def test_every_page_of_docs_is_in_its_index() -> None:
    """The index of docs/, of docs/adr/ and of runbooks/ names every page beside it."""
    for folder, index in (("docs", "index.md"), ("docs/adr", "README.md"), ("runbooks", "README.md")):
        named = {link.partition("#")[0] for link in links(page(f"{folder}/{index}"))}
        beside = {p.name for p in (ROOT / folder).glob("*.md")} - {index}
        assert beside - named == set()


def test_every_decision_that_the_code_names_has_its_page() -> None:
    """A comment that points at docs/adr/NNNN points at a page."""
    numbers = {p.name[:4] for p in (ROOT / "docs" / "adr").glob("0*.md")}
    for source in (ROOT / "src").rglob("*.py"):
        for number in re.findall(r"docs/adr/(\d{4})", source.read_text(encoding="utf-8")):
            assert number in numbers, f"{source} names ADR {number}"


def test_every_page_that_the_code_names_is_there() -> None:
    """A hint that says where to read on says where something is."""
    for source in (ROOT / "src").rglob("*.py"):
        for name in re.findall(r"\b(?:docs|runbooks)/[\w/-]+\.md", source.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{source} names {name}"


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "runbooks").glob("*.md") if p.name != "README.md"))
def test_every_runbook_has_the_sections_of_the_template(name: str) -> None:
    """In an emergency a reader finds the same things in the same order."""

    def sections(text: str) -> list[str]:
        return re.findall(r"^## (.+)$", text, re.MULTILINE)

    assert sections(page(f"runbooks/{name}")) == sections(page("runbooks/TEMPLATE.md"))


@pytest.mark.parametrize("number", range(2))
def test_the_commands_of_the_readme_over_captures_run(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first commands that a reader tries succeed and print something."""
    monkeypatch.chdir(ROOT)
    line = [c for c in commands(page("README.md")) if "fixtures/mappings" in c][number]
    assert run(shlex.split(line)[1:]) is Exit.OK
    assert "OrderPlaced" in capsys.readouterr().out


def test_the_first_mapping_of_the_readme_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mapping has no finding, its test passes, and it makes events of captured records."""
    (tmp_path / "my-mappings").mkdir()
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    mapping = next(b.text for b in blocks(page("README.md")) if b.language == "yaml")
    (tmp_path / "my-mappings" / "stock.yaml").write_text(mapping, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    said = {}
    for line in [c for c in commands(page("README.md")) if "my-mappings" in c]:
        words = shlex.split(line)[1:]
        assert run(words) is Exit.OK, capsys.readouterr()
        said[" ".join(words[:2])] = capsys.readouterr().out
    assert said["mapping lint"] == "0 findings\n"
    assert said["mapping test"] == "1 passed, 0 failed\n"
    assert "StockCounted" in said["mapping show"]
    assert "StockCounted stock-" in said["replay -m"]
