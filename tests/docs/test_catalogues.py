"""Every command, setting, log event and exit code is documented, and nothing is documented that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
import yaml

from figbridge.adapters.kafka.config import Cluster
from figbridge.cli.exits import Exit
from figbridge.cli.main import cli
from figbridge.errors import InvariantError
from figbridge.settings import AuthorityDatabase, ConnectCluster, Kafka, Settings, Source, load_settings
from figbridge.telemetry.events import LogEvent, tell
from figbridge.telemetry.metrics import Metric

from .pages import ROOT, blocks, commands, first_cells, links, page, pages, rows


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield every command as it is called."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from leaves(found, (*path, name))


def test_every_command_is_called_in_some_page() -> None:
    """A command that no page shows is one that nobody finds."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in pages() if "CHANGELOG" not in p.name)
    shown = re.findall(r"figbridge ((?:[a-z-]+ ?)+)", text)
    for name in leaves(cli):
        assert any(s.strip() == name or s.startswith(f"{name} ") for s in shown), f"figbridge {name} is in no page"


def test_settings_are_documented_with_their_variable_and_default() -> None:
    """The page has each setting, its environment variable and its default, and no other."""
    top, source, connect, kafka, authority = [], [], [], [], []
    sections = {"SOURCES__": source, "CONNECT__": connect, "KAFKA__": kafka, "AUTHORITY__": authority}
    for row in rows(page("docs/settings.md")):
        next((into for part, into in sections.items() if part in row[1]), top).append(row)
    top = [row for row in top if row[1].startswith("FIGBRIDGE_")]
    for model, documented, prefix in (
        (Settings, top, "FIGBRIDGE_"),
        (AuthorityDatabase, authority, "FIGBRIDGE_AUTHORITY__"),
        (Source, source, "FIGBRIDGE_SOURCES__LEGACY__"),
        (ConnectCluster, connect, "FIGBRIDGE_CONNECT__"),
        (Kafka, kafka, "FIGBRIDGE_KAFKA__"),
    ):
        assert [row[0] for row in documented] == list(model.model_fields)
        for name, variable, default, _ in documented:
            field = model.model_fields[name]
            assert variable == f"{prefix}{name.upper()}"
            if field.is_required():
                assert default == "required"
            elif default not in ("none", "empty"):
                assert default == str(field.default)


def test_the_example_settings_file_loads(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever begins with the example begins with a file that is right."""
    whole, secure = [b.text for b in blocks(page("docs/settings.md")) if b.language == "yaml"]
    file = tmp_path_factory.mktemp("settings") / "figbridge.yaml"
    file.write_text(whole, encoding="utf-8")
    assert set(load_settings(file).sources) == set(yaml.safe_load(whole)["sources"])
    file.write_text(secure, encoding="utf-8")
    kafka = load_settings(file).kafka
    assert kafka is not None
    assert Cluster(kafka.servers, security=kafka.security | kafka.secret_files), "each may be passed on"


def test_log_events_are_documented_with_their_fields() -> None:
    """The page has each event with its fields in order, and no other."""
    documented = {row[0]: re.findall(r"`?([a-z_]+)`?(?:,|$)", row[2]) for row in rows(page("docs/log-events.md"))}
    assert documented == {e.event: list(e.fields) for e in LogEvent}


def test_a_field_outside_the_catalogue_cannot_be_logged() -> None:
    """No line can carry what the page does not name; a missing field is refused as well."""
    for fields in ({"version": 1, "customer": "Ada"}, {}):
        with pytest.raises(InvariantError) as caught:
            tell(LogEvent.AUTHORITY_MOVED, **fields)
        assert caught.value.code == "BUG002"
        assert "Ada" not in str(caught.value)


def test_a_log_event_is_written_somewhere_or_the_page_says_that_it_is_not() -> None:
    """Nobody waits for a line that no code writes."""
    code = "\n".join(
        p.read_text(encoding="utf-8") for p in (ROOT / "src").rglob("*.py") if p.parent.name != "telemetry"
    )
    unwritten = {row[0] for row in rows(page("docs/log-events.md")) if "Not written by this version" in row[3]}
    assert unwritten == {e.event for e in LogEvent if f"LogEvent.{e.name}" not in code}


def test_every_log_event_that_warns_has_a_runbook_or_a_next_step() -> None:
    """A warning without a page is a bug: its row links one, or says where to look."""
    for event, level, _, when in rows(page("docs/log-events.md")):
        if level == "warning" and "Not written" not in when:
            assert links(when) or ".log" in when, f"{event} warns and leaves the reader alone"


def test_exit_codes_are_documented() -> None:
    """The page has each exit code with its name, and no other; so has the help of the program."""
    documented = {int(row[0]): row[1] for row in rows(page("docs/exit-codes.md"))}
    assert documented == {e.value: e.name for e in Exit}
    assert {int(n) for n in re.findall(r"\b(\d+) [a-z]", cli.help or "")} == {e.value for e in Exit}


def test_every_target_of_the_makefile_that_people_call_is_documented() -> None:
    """CONTRIBUTING and README name the targets, and only those that exist."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    texts = [p.read_text(encoding="utf-8") for p in pages()]
    named = {target for text in texts for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)}
    assert named <= targets
    assert targets - named <= {"help"}


def test_every_page_of_the_runbooks_names_a_command_that_looks_first() -> None:
    """The first checks of a runbook are commands, not advice."""
    for path in (ROOT / "runbooks").glob("[a-z]*.md"):
        assert list(commands(path.read_text(encoding="utf-8"))), f"{path.name} has no command"


def test_first_cells_of_the_runbook_index_are_the_pages() -> None:
    """The index of runbooks is a table of all of them."""
    shown = {re.sub(r"\[(.*)\]\(.*\)", r"\1", cell) for cell in first_cells(page("runbooks/README.md"))}
    assert shown == {p.name for p in (ROOT / "runbooks").glob("*.md")} - {"README.md"}


def test_every_figure_is_noted_somewhere() -> None:
    """A figure that nobody notes would stand at zero, and be believed."""
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "src").rglob("*.py") if p.name != "metrics.py"]
    for m in Metric:
        assert any(re.search(rf"note\(\s*Metric\.{m.name}\b", text) for text in sources), m.name


def test_figures_are_documented_as_they_are() -> None:
    """The page has each figure with its kind, labels and meaning, and no other."""
    shown = [row for row in rows(page("docs/metrics.md")) if row[0].startswith("figbridge_")]
    shown = [[cell.replace("`", "") for cell in row] for row in shown]
    assert shown == [[m.series, m.kind.value, ", ".join(m.labels) or "none", m.says] for m in Metric]
