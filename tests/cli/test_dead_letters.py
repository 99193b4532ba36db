"""The commands on dead letters: list, show, replay, discard, key."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

from figbridge import bootstrap
from figbridge.ports import Outgoing
from figbridge.settings import Settings

from .conftest import Figbridge
from .support import LOG, feed, work


def letters(figbridge: Figbridge, bridge: Settings, state: str = "all") -> list[dict[str, str]]:
    """Return the letters as programs see them."""
    found = json.loads(figbridge("dead-letters", "list", "--state", state, "--data", bridge.data, "-o", "json").out)
    assert isinstance(found, list)
    return found


@pytest.fixture
def mended(tmp_path_factory: pytest.TempPathFactory, bridge: Settings) -> Settings:
    """Return a bridge whose suppliers were dead under a wrong key, with mappings that are right by now."""
    folder = tmp_path_factory.mktemp("mended")
    made = Settings(mappings=folder / "mappings", data=folder / "data")
    shutil.copytree(bridge.mappings, made.mappings)
    mapping = made.mappings / "suppliers.yaml"
    right = mapping.read_text()
    mapping.write_text(right.replace("key: sup_id,", "key: sup_ident,", 1))
    feed(made, ["one-log/schema-change"])
    mapping.write_text(right)
    return made


def test_letters_are_listed_and_shown_with_what_to_do_next(bridge: Settings, figbridge: Figbridge) -> None:
    """Position, reason and state; what it means and the next command; no value of a row."""
    listed = figbridge("dead-letters", "list", "--data", bridge.data)
    assert (listed.code, listed.err) == (0, "")
    assert re.search(r"TRUNCATE +open +shop.suppliers", listed.out)
    (letter,) = letters(figbridge, bridge)
    words = (letter["position"], "--data", bridge.data, "-m", bridge.mappings)
    shown = figbridge("dead-letters", "show", *words)
    assert (shown.code, shown.err) == (0, "")
    assert "Somebody emptied a mapped table" in shown.out
    assert f"next: figbridge dead-letters discard {letter['position']} --reason '…'" in shown.out
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        found = read(figbridge("dead-letters", "show", *words, "-o", form).out)
        assert (found["state"], found["record"], found["payload"]) == ("open", None, "in the source log")
    assert '"op":"t"' in figbridge("dead-letters", "show", *words, "--values").out


def test_a_replay_is_done_by_the_bridge_and_attributed(mended: Settings, figbridge: Figbridge) -> None:
    """Sent by the command, done with the next batch, counted, and told by show."""
    before = letters(figbridge, mended, "open")
    assert [letter["reason"] for letter in before] == ["KEY_MISSING", "KEY_MISSING", "TRUNCATE"]
    words = ("--data", mended.data, "-m", mended.mappings)
    said = figbridge("dead-letters", "replay", before[0]["position"], "--reason", "key", "--by", "bob", *words)
    assert (said.code, "is sent" in said.out) == (0, True)
    assert said.err == f"what it did: figbridge dead-letters show {before[0]['position']}\n"
    work(mended)
    assert letters(figbridge, mended, "open") == before[1:]
    shown = figbridge("dead-letters", "show", before[0]["position"], *words)
    assert " bob: replayed, " in shown.out
    status = json.loads(figbridge("status", "--data", mended.data, "-o", "json").out)
    assert (status["balanced"], status["dead_letters"], status["dead_letters_open"]) == (True, 3, 2)
    assert status["account"]["records"]["dead"] == 2


def test_a_replay_that_is_not_safe_is_refused(bridge: Settings, figbridge: Figbridge) -> None:
    """Exit 4, one sentence, a way out, and nothing is sent."""
    (letter,) = letters(figbridge, bridge)
    words = ("--reason", "x", "--data", bridge.data, "-m", bridge.mappings)
    said = figbridge("dead-letters", "replay", letter["position"], *words)
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith(f"error: LET004 {letter['position']} cannot be replayed: STILL_DEAD, ")
    missing = figbridge("dead-letters", "replay", f"{LOG}/0@999", *words)
    assert missing.err == (
        f"error: LET001 there is no dead letter of the record at {LOG}/0@999\nhint:  figbridge dead-letters list\n"
    )
    empty = figbridge("dead-letters", "discard", letter["position"], "--reason", " ", "--data", bridge.data)
    assert (empty.code, empty.err.startswith("error: PRK002 ")) == (4, True)


def test_a_discarded_letter_is_open_no_longer(bridge: Settings, figbridge: Figbridge) -> None:
    """It stays in the list of all."""
    (letter,) = letters(figbridge, bridge)
    assert figbridge("dead-letters", "discard", letter["position"], "--reason", "x", "--data", bridge.data).code == 0
    work(bridge)
    assert letters(figbridge, bridge, "open") == []
    assert [each["state"] for each in letters(figbridge, bridge)] == ["discarded"]
    assert "dead letters: 1, open: 0" in figbridge("status", "--data", bridge.data).out
    again = figbridge("dead-letters", "discard", letter["position"], "--reason", "x", "--data", bridge.data)
    assert (again.code, again.err.startswith("error: LET002 ")) == (4, True)


def test_a_key_is_made_and_used(mended: Settings, figbridge: Figbridge) -> None:
    """`key` prints what the key file wants; a bridge without one that is told to encrypt does not start."""
    keys = mended.data / "keys"
    keys.write_text(figbridge("dead-letters", "key").out)
    settings = mended.data / "figbridge.yaml"
    settings.write_text(f"data: {mended.data}\nmappings: {mended.mappings}\ndead_letter_payload: encrypted\n")
    wanted = figbridge("run", "--settings", settings)
    assert (wanted.code, "SET006" in wanted.err) == (3, True)
    made = Settings(
        mappings=mended.mappings, data=mended.data, dead_letter_payload="encrypted", dead_letter_key_file=keys
    )
    with bootstrap.opened_log(made) as log:
        log.append([Outgoing(LOG, None, b"not Debezium's")])
    work(made)
    letter = letters(figbridge, made, "open")[-1]
    with bootstrap.opened_log(made) as log:
        texts = [r.value or b"" for r in log.read(("figbridge.dead-letters", 0), 0, 99)]  # type: ignore[arg-type]
    assert b'"encrypted":' in texts[-1]
    settings.write_text(settings.read_text() + f"dead_letter_key_file: {keys}\n")
    shown = figbridge("dead-letters", "show", letter["position"], "--values", "--settings", settings)
    assert "the record is encrypted in the letter" in shown.out
    assert "not Debezium's" in shown.out
