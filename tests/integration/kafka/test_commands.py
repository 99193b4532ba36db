"""The commands on dead letters and on suspects, over the log on Kafka, beside a bridge that runs there."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest

from cli.support import CAPTURES, Said, write_mappings
from contract.harness import until
from figbridge import bootstrap
from figbridge.cli.main import run
from figbridge.ports import EARLIEST, Outgoing
from figbridge.settings import Settings, load_settings
from figbridge.telemetry.events import telling

pytestmark = pytest.mark.sandbox

WRONG, RIGHT = "key: sup_ident,", "key: sup_id,"
"""A key column that the log does not carry, and the one that it does."""


class Kept:
    """A bridge on Kafka under names of its own, fed with captured records; it runs until the test ends."""

    def __init__(self, folder: Path, servers: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.prefix = f"commands-{uuid4().hex[:8]}"
        self.file, self._capsys = folder / "figbridge.yaml", capsys
        mapping = write_mappings(folder) / "suppliers.yaml"
        mapping.write_text(mapping.read_text().replace(RIGHT, WRONG, 1))
        told = {
            "log": "kafka", "kafka": {"servers": servers, "session_timeout_ms": 6000}, "topic_prefix": self.prefix,
            "group": self.prefix, "mappings": str(folder / "mappings"), "data": str(folder / "data"),
        }  # fmt: skip
        self.file.write_text(json.dumps(told))
        self._mapping = mapping

    @property
    def log(self) -> str:
        """Return the monolith's log."""
        return f"{self.prefix}.legacy.log"

    @property
    def settings(self) -> Settings:
        """Return the settings."""
        return load_settings(self.file)

    def feed(self, *captures: str) -> None:
        """Append captured records to the monolith's log."""
        with bootstrap.opened_log(self.settings) as log:
            log.create(self.log)
            for name in captures:
                records = bootstrap.capture(CAPTURES / "postgres" / f"{name}.jsonl")
                log.append([Outgoing(self.log, r.key, r.value, r.headers, r.timestamp, 0) for r in records])

    def mend(self) -> None:
        """Write the right key into the mapping."""
        self._mapping.write_text(self._mapping.read_text().replace(WRONG, RIGHT, 1))

    def work(self, stop: Callable[[], bool]) -> None:
        """Run the bridge."""
        start = {self.log: EARLIEST}
        with telling(io.StringIO()), bootstrap.bridge(self.settings, datetime.now(UTC), "ann", start=start) as bridge:
            bridge.run(stop)

    def __call__(self, *words: str) -> Said:
        """Run a command as a person does."""
        self._capsys.readouterr()
        code = run([*words, "--settings", str(self.file)])
        return Said(int(code), *self._capsys.readouterr())

    def json(self, *words: str) -> Any:
        """Run a command as a program does, and return what it said."""
        return json.loads(self(*words, "-o", "json").out)


@pytest.fixture
def kept(kafka: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kept:
    """Give a bridge that has dead letters and suspects: suppliers under a wrong key, and gaps before transactions."""
    made = Kept(tmp_path, kafka, capsys)
    made.feed("update-default", "one-log/transaction", "one-log/schema-change")
    return made


@pytest.fixture
def working(kept: Kept) -> Iterator[Callable[[], Any]]:
    """Give what starts the bridge anew, with the mappings as they are then."""
    running: list[tuple[Thread, Event]] = []

    def end() -> None:
        while running:
            thread, stop = running.pop()
            stop.set()
            thread.join(60)
            assert not thread.is_alive()

    def start() -> None:
        end()
        stop = Event()
        running.append((Thread(target=kept.work, args=[stop.is_set]), stop))
        running[0][0].start()

    yield start
    end()


def test_letters_are_listed_replayed_and_discarded(kept: Kept, working: Callable[[], Any]) -> None:
    """What a person decides on a letter is done once by the bridge, and told with who, why and what came of it."""
    working()
    letters = until(lambda: kept.json("dead-letters", "list"), lambda found: len(found) == 3)
    assert [letter["reason"] for letter in letters] == ["KEY_MISSING", "KEY_MISSING", "TRUNCATE"]
    first, _, emptied = (letter["position"] for letter in letters)
    shown = kept.json("dead-letters", "show", first)
    assert (shown["state"], shown["record"], shown["payload"]) == ("open", None, "in the source log")
    assert '"op":"c"' in kept("dead-letters", "show", first, "--values").out
    refused = kept("dead-letters", "replay", first, "--reason", "x")
    assert (refused.code, refused.err.startswith(f"error: LET004 {first} cannot be replayed: STILL_DEAD")) == (4, True)

    kept.mend()
    working()
    assert kept("dead-letters", "replay", first, "--reason", "the key is right now", "--by", "bob").code == 0
    assert kept("dead-letters", "discard", emptied, "--reason", "known", "--by", "eve").code == 0
    until(
        lambda: kept.json("dead-letters", "list"),
        lambda found: [f["position"] for f in found] == [letters[1]["position"]],
    )
    (decision,) = kept.json("dead-letters", "show", first)["decisions"]
    assert (decision["state"], decision["by"], decision["reason"]) == ("replayed", "bob", "the key is right now")
    assert kept.json("dead-letters", "show", emptied)["state"] == "discarded"
    again = kept("dead-letters", "replay", first, "--reason", "x")
    assert (again.code, again.err.startswith("error: LET002 ")) == (4, True)
    status = kept.json("status")
    assert (status["balanced"], status["dead_letters"], status["dead_letters_open"]) == (True, 3, 1)


def test_suspects_are_listed_shown_and_accepted(kept: Kept, working: Callable[[], Any]) -> None:
    """Exit 3 while one is open; a check without a database is refused; what was accepted stays so, with who and why."""
    kept.mend()
    working()
    first, other = until(lambda: kept.json("holes", "list"), lambda found: len(found) == 2)
    assert kept("holes", "list").code == 3
    assert {d["doubt"] for d in kept.json("holes", "show", first["position"])["doubts"]} == {"gap-before"}
    said = kept("holes", "check", first["position"])
    assert (said.code, said.err.startswith("error: HOL007 ")) == (4, True)
    for hole in (first, other):
        assert kept("holes", "accept", hole["position"], "--reason", "told by hand", "--by", "bob").code == 0
    until(lambda: kept("holes", "list"), lambda said: said.code == 0)
    shown = kept.json("holes", "show", first["position"])
    assert (shown["state"], [(o["by"], o["reason"]) for o in shown["outcomes"]]) == (
        "accepted", [("bob", "told by hand")],
    )  # fmt: skip
    assert [h["state"] for h in kept.json("holes", "list", "--all")] == ["accepted", "accepted"]
    again = kept("holes", "accept", first["position"], "--reason", "x")
    assert (again.code, again.err.startswith("error: HOL002 ")) == (4, True)
    unknown = kept("holes", "show", f"{kept.log}/0@999")
    assert unknown.err == f"error: HOL001 there is no suspect at {kept.log}/0@999\nhint:  figbridge holes list\n"
