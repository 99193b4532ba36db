"""The commands that look at a bridge and decide: status, parked, authority, explain."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from figbridge.adapters.sqlite.log import SqliteLog
from figbridge.ports import TopicPartition
from figbridge.settings import Settings

from .conftest import Figbridge
from .support import LOG, feed, work

KEY = "orders[10]"


def test_status_shows_both_ledgers_and_what_waits(bridge: Settings, figbridge: Figbridge) -> None:
    """Everything a person needs first, on one screen; 3 while a suspect is open."""
    said = figbridge("status", "--data", bridge.data)
    assert (said.code, said.err) == (3, "")
    assert re.search(rf"^legacy +{LOG} +20 +20 +0 *$", said.out, re.MULTILINE)
    assert "records: 20 read = " in said.out
    assert "both ledgers balance" in said.out
    assert "parked: 1 keys, 1 changes" in said.out
    assert "dead letters: 1" in said.out
    assert re.search(r"^SUSPECT legacy transaction \d+ at \S+: gap-before, ", said.out, re.MULTILINE)


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_status_is_for_programs_too(form: str, read: object, bridge: Settings, figbridge: Figbridge) -> None:
    """The same in JSON and YAML."""
    assert callable(read)
    found = read(figbridge("status", "--data", bridge.data, "-o", form).out)
    assert found["balanced"] is True
    assert found["account"]["records"]["read"] == 20
    assert (found["parked_keys"], found["dead_letters"], found["quarantined"]) == (1, 1, 0)
    assert {s["doubt"] for s in found["suspects"]} == {"gap-before"}


def test_settings_files_name_the_bridge(bridge: Settings, figbridge: Figbridge) -> None:
    """--settings does what --data does."""
    file = bridge.data / "figbridge.yaml"
    file.write_text(f"data: {bridge.data}\ngroup: another\n")
    found = json.loads(figbridge("status", "--settings", file, "-o", "json").out)
    assert found["group"] == "another"
    assert found["account"]["records"]["read"] == 0


def test_parked_keys_are_listed_and_shown_without_values(bridge: Settings, figbridge: Figbridge) -> None:
    """Why, since when, how many; rows only when they are asked for."""
    listed = figbridge("parked", "list", "--data", bridge.data)
    assert re.search(rf"^{re.escape(KEY)} +BEFORE_MISSING .* 1 ", listed.out, re.MULTILINE)
    shown = figbridge("parked", "show", KEY, "--data", bridge.data)
    assert (shown.code, shown.err) == (0, "")
    assert "shop.orders" in shown.out
    assert "19.90" not in shown.out
    assert "19.90" in figbridge("parked", "show", KEY, "--data", bridge.data, "--values").out


def test_a_dead_letter_holds_a_reason_and_a_position_and_no_payload(bridge: Settings) -> None:
    """Whoever reads letters need not be allowed to read rows."""
    log = SqliteLog(bridge.log_file)
    [letter] = log.read(TopicPartition("figbridge.dead-letters", 0), 0, 10)
    log.close()
    assert letter.value is not None
    body = json.loads(letter.value)
    assert body["reason"] == "TRUNCATE"
    assert body["payload"] == {}
    assert b"19.90" not in letter.value
    assert body["position"].startswith(f"{LOG}/0@")


@pytest.mark.parametrize("action", ["release", "discard"])
def test_a_decision_needs_a_parked_key_and_a_reason(action: str, bridge: Settings, figbridge: Figbridge) -> None:
    """Refused: 4, with nothing changed."""
    for key, reason, code in (("orders[11]", "x", "PRK001"), (KEY, " ", "PRK002")):
        said = figbridge("parked", action, key, "--reason", reason, "--data", bridge.data)
        assert (said.code, said.out) == (4, "")
        assert said.err.startswith(f"error: {code} ")
    assert figbridge("parked", action, KEY, "--data", bridge.data).code == 2
    assert "nobody has decided" in figbridge("parked", "decisions", "--data", bridge.data).out


def test_a_discard_is_done_by_the_bridge_and_attributed(bridge: Settings, figbridge: Figbridge) -> None:
    """The command sends, the bridge does it in its next commit, and who and why is kept."""
    said = figbridge("parked", "discard", KEY, "--reason", "known, ticket 7", "--by", "bob", "--data", bridge.data)
    assert (said.code, said.out) == (0, f"discard of {KEY} is sent; the bridge does it with its next batch\n")
    assert KEY in figbridge("parked", "list", "--data", bridge.data).out
    work(bridge)
    assert figbridge("parked", "list", "--data", bridge.data).out == "nothing is parked\n"
    [decision] = json.loads(figbridge("parked", "decisions", "--data", bridge.data, "-o", "json").out)
    assert (decision["action"], decision["key"], decision["by"]) == ("discard", KEY, "bob")
    assert (decision["reason"], decision["done"], decision["still_parked"]) == ("known, ticket 7", 1, "")


def test_a_release_that_cannot_be_judged_says_why(bridge: Settings, figbridge: Figbridge) -> None:
    """The key stays parked; the decision names the reason."""
    figbridge("parked", "release", KEY, "--reason", "try again", "--data", bridge.data)
    work(bridge)
    [decision] = json.loads(figbridge("parked", "decisions", "--data", bridge.data, "-o", "json").out)
    assert decision["done"] == 0
    assert decision["still_parked"].startswith("BEFORE_MISSING: ")
    assert json.loads(figbridge("status", "--data", bridge.data, "-o", "json").out)["balanced"] is True


def test_authority_is_shown_with_its_history_and_its_chain(bridge: Settings, figbridge: Figbridge) -> None:
    """Who owns what, since when, why; the chain can be walked."""
    shown = json.loads(figbridge("authority", "show", "--data", bridge.data, "-o", "json").out)
    assert {s["cell"]["fact"]: s["tenure"]["owner"] for s in shown}["order.placement"] == "legacy"
    history = figbridge("authority", "history", "order.placement", "--data", bridge.data)
    assert "declared" in history.out
    assert figbridge("authority", "verify", "--data", bridge.data).out == "9 grants, every link holds\n"
    missing = figbridge("authority", "history", "order.nothing", "--data", bridge.data)
    assert (missing.code, missing.out) == (4, "")


def test_a_grant_by_hand_moves_authority_from_here_on(bridge: Settings, figbridge: Figbridge) -> None:
    """Refused unless it is called what it is; then legacy's word is quarantined, and the past stays what it was."""
    grant = ("authority", "grant", "order.placement", "--to", "delivery", "--reason", "why", "--data", bridge.data)
    refused = figbridge(*grant)
    assert (refused.code, refused.out) == (4, "")
    granted = figbridge(*grant, "--break-glass", "--by", "bob")
    assert granted.code == 0
    assert f"{LOG}/0@20" in granted.out
    feed(bridge, ["one-log/message"])
    found = json.loads(figbridge("status", "--data", bridge.data, "-o", "json").out)
    assert (found["quarantined"], found["balanced"]) == (2, True)

    def owner(at: str) -> str:
        words = ("authority", "who-owned", "order.placement", "order-71", "--at", at, "--data", bridge.data)
        return str(json.loads(figbridge(*words, "-o", "json").out)["answers"][0]["tenure"]["owner"])

    assert (owner(f"{LOG}/0@19"), owner(f"{LOG}/0@20")) == ("legacy", "delivery")
    assert figbridge("authority", "verify", "--data", bridge.data).code == 0


def test_who_owned_wants_a_position_or_a_time_with_its_zone(bridge: Settings, figbridge: Figbridge) -> None:
    """A time without a zone is none; nothing is guessed."""
    for at in ("2026", "2026-03-01T12:00:00", "yesterday"):
        said = figbridge("authority", "who-owned", "order.status", "order-40", "--at", at, "--data", bridge.data)
        assert (said.code, said.out) == (4, "")
        assert "hint:  topic/partition@offset, or 2026-03-01T12:00:00Z" in said.err


def test_a_chain_that_somebody_changed_is_named(bridge: Settings, figbridge: Figbridge) -> None:
    """Exit 3 and the first link that does not hold."""
    import sqlite3

    with sqlite3.connect(bridge.authority_file) as store:
        store.execute("DROP TRIGGER grants_no_update")
        store.execute("UPDATE grants SET reason = 'another' WHERE seq = 3")
    store.close()
    said = figbridge("authority", "verify", "--data", bridge.data)
    assert (said.code, said.out) == (3, "BROKEN at grant 3: its content does not give its hash\n")


def test_explain_reads_the_log_of_the_bridge(bridge: Settings, figbridge: Figbridge) -> None:
    """A position from a log line is enough."""
    words = ("--data", bridge.data, "-m", bridge.mappings)
    said = figbridge("explain", f"{LOG}/0@4", *words)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{LOG}/0@4\n")
    assert "→ figbridge.domain.order" in said.out
    assert figbridge("explain", "figbridge.nobody.log/0@4", *words).code == 2


def test_commands_on_a_folder_without_a_bridge_fail_and_make_nothing(figbridge: Figbridge, bridge: Settings) -> None:
    """Looking creates no files."""
    folder = bridge.data.parent / "empty"
    folder.mkdir()
    for words in (["status"], ["parked", "list"], ["parked", "decisions"], ["authority", "show"]):
        said = figbridge(*words, "--data", folder)
        assert (said.code, said.out) == (1, "")
        assert "hint:  figbridge run, or name its folder with --data" in said.err
    assert list(folder.iterdir()) == []
