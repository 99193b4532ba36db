"""The program as a whole: help, usage, exit codes, what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from figbridge import __version__
from figbridge.cli.main import _COMMANDS, cli

from .conftest import Figbridge
from .support import MAPPINGS, ONE_ORDER, ROOT, called


def test_help_lists_every_command_and_ends_well(figbridge: Figbridge) -> None:
    """Whoever types --help sees all there is, on stdout."""
    said = figbridge("--help")
    assert said.code == 0
    listed = re.findall(r"^  ([a-z-]+)  ", said.out.partition("Commands:")[2], re.MULTILINE)
    assert listed == sorted(_COMMANDS)
    assert said.err == ""


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_a_command_is_what_the_list_says(name: str, figbridge: Figbridge) -> None:
    """The list is written without importing the commands; each is there, and its own help says no less."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    said = figbridge(name, "--help")
    assert (said.code, said.err) == (0, "")
    for verb in re.findall(r"[a-z-]+", _COMMANDS[name][0].partition(":")[2]):
        assert re.search(rf"^  {verb} ", said.out, re.MULTILINE), f"{name} has no {verb}"


def test_without_a_command_help_is_shown_as_a_usage_error(figbridge: Figbridge) -> None:
    """A script that lost its arguments fails, and stdout stays empty."""
    said = figbridge()
    assert (said.code, said.out) == (2, "")
    assert "Commands:" in said.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["rpelay"], "Did you mean 'replay'?"),
        (["statsu"], "Did you mean 'status'?"),
        (["mapping", "lnit"], "No such command 'lnit'"),
        (["frobnicate"], "No such command 'frobnicate'."),
        (["replay"], "Missing option '--records'"),
        (["replay", "--records", "nowhere.jsonl"], "'nowhere.jsonl' does not exist"),
        (["status", "--nope"], "No such option"),
        (["version", "-o", "xml"], "'xml' is not one of"),
        (["mapping", "show", "-m", str(MAPPINGS), "nope"], "there is no mapping 'nope' (known: customers,"),
        (["mapping", "test", "-m", str(MAPPINGS), "--only", "nope"], "no test contains 'nope'"),
        (["explain", "-r", str(ONE_ORDER), "-m", str(MAPPINGS), "here"], "'here' is not topic/partition@offset"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_a_wrong_call_is_usage_with_a_hint_on_stderr(arguments: list[str], hint: str, figbridge: Figbridge) -> None:
    """Exit 2, nothing on stdout, and what is wrong in one sentence."""
    said = figbridge(*arguments)
    assert (said.code, said.out) == (2, "")
    assert hint in said.err
    assert "Traceback" not in said.err


def test_an_error_is_one_sentence_and_a_hint_on_stderr(figbridge: Figbridge, tmp_path: Path) -> None:
    """What cannot be done ends with 1, what must not with 4; stdout stays empty."""
    said = figbridge("status", "--data", tmp_path)
    assert (said.code, said.out) == (1, "")
    assert re.fullmatch(r"error: OPS001 there is no log at \S+\nhint:  figbridge run, .*\n", said.err)
    said = figbridge("explain", "99", "-m", MAPPINGS, "-r", ONE_ORDER)
    assert (said.code, said.out) == (4, "")
    assert said.err == (
        "error: EXP001 there is no record at offset 99\nhint:  give the offset of a record in this log\n"
    )


def test_findings_end_with_three_and_are_all_told(figbridge: Figbridge, tmp_path: Path) -> None:
    """Malformed settings: every finding with its place, on stderr, and their number."""
    file = tmp_path / "figbridge.yaml"
    file.write_text("batch: zero\nsorces: {}\n")
    said = figbridge("status", "--settings", file)
    assert (said.code, said.out) == (3, "")
    lines = said.err.splitlines()
    assert [line.partition(" SET001 ")[0] for line in lines[:2]] == [f"{file}:1:1:", f"{file}:2:1:"]
    assert lines[2:] == ["2 findings"]


def test_a_broken_capture_is_told_line_by_line(figbridge: Figbridge, tmp_path: Path) -> None:
    """Every malformed line of a capture is a finding with its place."""
    file = tmp_path / "broken.jsonl"
    file.write_text('{"topic": "t"}\nnot json\n')
    said = figbridge("replay", "-m", MAPPINGS, "-r", file)
    assert (said.code, said.out) == (3, "")
    assert re.findall(r":(\d+):\d+: (CAP\d+)", said.err) == [("1", "CAP002"), ("2", "CAP001")]


def test_the_version_is_printed_in_every_form(figbridge: Figbridge) -> None:
    """Text for people, JSON and YAML for programs."""
    assert figbridge("version").out.startswith(f"figbridge {__version__} (Python 3.")
    assert json.loads(figbridge("version", "-o", "json").out)["figbridge"] == __version__
    assert yaml.safe_load(figbridge("version", "-o", "yaml").out)["figbridge"] == __version__


def test_the_program_ends_with_the_codes_that_the_functions_return() -> None:
    """A process of its own has the same exit codes, and a command's errors are no tracebacks."""
    assert called("version").code == 0
    assert called("status", "--data", "/nowhere").code == 1
    assert called("rpelay").code == 2
    assert called("mapping", "lint", "-m", MAPPINGS).code == 3
    assert called("explain", "99", "-m", MAPPINGS, "-r", ONE_ORDER).code == 4


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`figbridge replay … | head -1` ends quietly."""
    many = ROOT / "tests" / "fixtures" / "debezium" / "postgres" / "one-log" / "incremental-snapshot.jsonl.gz"
    command = f"{sys.executable} -m figbridge replay -m {MAPPINGS} -r {many} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_completion_knows_commands_and_options() -> None:
    """The shell completes nouns and verbs; the script it needs is printed."""
    script = called(env={"_FIGBRIDGE_COMPLETE": "bash_source"})
    assert script.code == 0
    assert "_figbridge_completion" in script.out

    def complete(words: str, number: int) -> list[str]:
        env = {"_FIGBRIDGE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        return [line.partition(",")[2] for line in called(env=env).out.splitlines()]

    assert complete("figbridge re", 1) == ["replay"]
    assert complete("figbridge mapping ", 2) == ["lint", "show", "test"]
    assert "--records" in complete("figbridge replay --", 2)


def on_a_terminal(env: dict[str, str], *arguments: str | Path) -> str:
    """Call a command whose stdout and stderr are a terminal, and return what it showed."""
    import os
    import pty

    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    command = [sys.executable, "-m", "figbridge", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**kept, **env}, cwd=ROOT)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode()


def test_no_color_is_respected() -> None:
    """On a terminal NO_COLOR takes the colours away; into a pipe there are none, nor any other escape."""
    colour = re.compile(r"\x1b\[[0-9;]*[34][0-7]m")
    show = ("mapping", "show", "stock", "-m", MAPPINGS)
    assert not colour.search(on_a_terminal({"TERM": "xterm-256color", "NO_COLOR": "1"}, *show))
    assert "\x1b" not in called(*show, env={"TERM": "xterm-256color"}).out


def test_a_table_in_a_pipe_is_one_line_a_row_and_cuts_nothing_off() -> None:
    """`figbridge … | grep` finds what it looks for."""
    said = called("mapping", "show", "orders", "-m", "mappings", env={"COLUMNS": "40"})
    assert "…" not in said.out
    [row] = [line for line in said.out.splitlines() if line.startswith("OrderPlaced")]
    assert "appears and (status is placed or status is confirmed)" in row


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_stops_in_order_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it between two batches, with 0; it says what it reads, as JSON if asked."""
    command = [sys.executable, "-m", "figbridge", "run", "-m", "mappings", "--data", str(tmp_path / "data")]
    command += ["--log-format", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "bridge_started" in line:
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "0 records read\n"
    events = [json.loads(text)["event"] for text in err.splitlines()]
    assert events[-1] == "bridge_stopped"
    assert set(events[:-1]) <= {"sources_taken"}, "and nothing is told that did not happen"
