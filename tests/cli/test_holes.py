"""The commands on suspects: list, show, check, accept."""

from __future__ import annotations

import json

import pytest
import yaml

from figbridge.settings import Settings

from .conftest import Figbridge
from .support import LOG, work


@pytest.fixture
def hole(bridge: Settings, figbridge: Figbridge) -> str:
    """Return the position of the bridge's one suspect that is open; the other is accepted."""
    first, other = json.loads(figbridge("holes", "list", "--data", bridge.data, "-o", "json").out)
    figbridge("holes", "accept", other["position"], "--reason", "x", "--data", bridge.data)
    work(bridge)
    return str(first["position"])


def test_suspects_are_listed_and_shown_with_what_to_do_next(hole: str, bridge: Settings, figbridge: Figbridge) -> None:
    """Exit 3 while one is open; its doubts in words, and the next commands."""
    listed = figbridge("holes", "list", "--data", bridge.data)
    assert (listed.code, listed.err) == (3, "")
    assert "gap-before" in listed.out
    shown = figbridge("holes", "show", hole, "--data", bridge.data)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"{hole}  open\n")
    assert f"next: figbridge holes check {hole}\n" in shown.out
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        found = read(figbridge("holes", "show", hole, "--data", bridge.data, "-o", form).out)
        assert (found["source"], found["state"], found["doubts"][0]["doubt"]) == ("legacy", "open", "gap-before")


def test_an_accepted_suspect_lets_the_status_end_well(hole: str, bridge: Settings, figbridge: Figbridge) -> None:
    """The decision is done by the bridge, kept with who and why, and the status ends with 0."""
    assert figbridge("status", "--data", bridge.data).code == 3
    words = ("--reason", "told by hand", "--by", "bob", "--data", bridge.data)
    said = figbridge("holes", "accept", hole, *words)
    assert (said.code, said.out) == (0, f"accept of {hole} is sent; the bridge does it with its next batch\n")
    work(bridge)
    status = figbridge("status", "--data", bridge.data)
    assert (status.code, "SUSPECT" in status.out, "both ledgers balance" in status.out) == (0, False, True)
    assert figbridge("holes", "list", "--data", bridge.data).out == "no transaction is suspect\n"
    assert "accepted" in figbridge("holes", "list", "--all", "--data", bridge.data).out
    assert " bob: accepted" in figbridge("holes", "show", hole, "--data", bridge.data).out
    again = figbridge("holes", "accept", hole, *words)
    assert (again.code, again.err.startswith("error: HOL002 ")) == (4, True)


def test_a_check_without_a_database_is_refused(hole: str, bridge: Settings, figbridge: Figbridge) -> None:
    """The settings must say where it is, and it must answer; nothing is sent."""
    words = ("--data", bridge.data, "-m", bridge.mappings)
    said = figbridge("holes", "check", *words)
    assert (said.code, said.out) == (4, "")
    assert said.err.startswith("error: HOL007 the settings do not say where the database of legacy is\nhint:  ")
    settings = bridge.data / "figbridge.yaml"
    for kind in ("postgres", "mariadb"):
        source = {"kind": kind, "host": "127.0.0.1", "port": 1, "database": "shop"}
        settings.write_text(json.dumps({"sources": {"legacy": source}}))
        gone = figbridge("holes", "check", hole, "--settings", settings, *words)
        assert (gone.code, gone.out) == (1, "")
        assert gone.err.startswith("error: HOL005 The database on 127.0.0.1:1 does not answer: ")
    assert figbridge("holes", "show", hole, "--data", bridge.data).out.startswith(f"{hole}  open\n")


def test_a_position_without_a_suspect_is_refused(hole: str, bridge: Settings, figbridge: Figbridge) -> None:
    """And so is accepting without a reason."""
    for words in (["show"], ["check"], ["accept", "--reason", "x"]):
        said = figbridge("holes", *words, f"{LOG}/0@999", "--data", bridge.data)
        assert said.err == f"error: HOL001 there is no suspect at {LOG}/0@999\nhint:  figbridge holes list\n"
        assert said.code == 4
    empty = figbridge("holes", "accept", hole, "--reason", " ", "--data", bridge.data)
    assert (empty.code, empty.err.startswith("error: PRK002 ")) == (4, True)
