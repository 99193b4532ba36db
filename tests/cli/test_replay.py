"""`figbridge replay` and `explain` over captured records."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from figbridge import bootstrap
from figbridge.operations.replay import Replay, Told
from figbridge.pipeline.perform import Topics

from .conftest import Figbridge
from .support import CAPTURES, MAPPINGS, ONE_ORDER

ALL = sorted(p for p in CAPTURES.rglob("*.jsonl*") if "variants" not in p.parts)


def account(line: str) -> tuple[int, int]:
    """Return both sides of a ledger's line."""
    left, _, right = line.partition(" = ")
    return int(left.split()[1]), sum(int(n) for n in re.findall(r"(\d+)", right))


def test_the_last_lines_are_the_account_and_it_balances(figbridge: Figbridge) -> None:
    """One event for an order with its lines, then both ledgers."""
    said = figbridge("replay", "-m", MAPPINGS, "-r", ONE_ORDER)
    assert (said.code, said.err) == (0, "")
    *told, records, claims = said.out.splitlines()
    assert [line.split()[:3] for line in told] == [["event", "OrderPlaced", "order-40"]]
    assert records == "records: 6 read = 4 translated + 2 marker"
    assert claims == "claims: 1 made = 1 publish"


@pytest.mark.parametrize("path", ALL, ids=lambda p: str(p.relative_to(CAPTURES)))
def test_every_capture_replays_and_balances(path: Path, figbridge: Figbridge) -> None:
    """Whatever Debezium wrote, each record is counted once and each claim is counted once."""
    said = figbridge("replay", "-m", MAPPINGS, "-r", path, "-o", "json")
    assert (said.code, said.err) == (0, "")
    found = [json.loads(line) for line in said.out.splitlines()]
    assert all(len(outcome) == 1 for outcome in found)
    for ledger, head in (("records", "read"), ("claims", "made")):
        lines = found[-1]["account"][ledger]
        assert lines.pop(head) == sum(lines.values())


def test_several_files_are_accounted_together(figbridge: Figbridge) -> None:
    """The account is the sum."""
    said = figbridge("replay", "-m", MAPPINGS, "-r", ONE_ORDER, "-r", CAPTURES / "mariadb" / "insert.jsonl")
    assert said.code == 0
    read, counted = account(said.out.splitlines()[-2])
    assert read == counted == 9


def test_yaml_is_a_stream_of_documents(figbridge: Figbridge) -> None:
    """One document an outcome, the account last."""
    found = list(yaml.safe_load_all(figbridge("replay", "-m", MAPPINGS, "-r", ONE_ORDER, "-o", "yaml").out))
    assert [next(iter(d)) for d in found] == ["event", "account"]


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_snapshot_announces_nothing(database: str, figbridge: Figbridge) -> None:
    """A snapshot row states what is known; it is never a happening."""
    said = figbridge("replay", "-m", MAPPINGS, "-r", CAPTURES / database / "one-log" / "snapshot.jsonl", "-o", "json")
    *found, _ = [json.loads(line) for line in said.out.splitlines()]
    types = {outcome["event"]["type"] for outcome in found}
    assert types
    assert all(name.endswith("Known") for name in types)


@pytest.mark.parametrize("batch", [1, 2, 3, 1000])
def test_the_size_of_a_batch_changes_nothing(batch: int) -> None:
    """Where a batch ends is not seen in what is said."""
    documents = bootstrap.documents(MAPPINGS)
    plan, authority = bootstrap.plan(documents), bootstrap.declared_authority(documents)

    def told(size: int) -> list[Told]:
        replay = Replay(plan, bootstrap.edge(plan, Topics()), authority, size)
        return list(replay.run(bootstrap.capture(CAPTURES / "postgres" / "one-log" / "interleaved.jsonl")))

    assert told(batch) == told(7)


def test_two_replays_say_the_same(figbridge: Figbridge) -> None:
    """The same range gives the same events with the same ids."""
    path = CAPTURES / "postgres" / "one-log" / "interleaved.jsonl"
    once = figbridge("replay", "-m", MAPPINGS, "-r", path, "-o", "json").out
    assert figbridge("replay", "-m", MAPPINGS, "-r", path, "-o", "json").out == once


def test_a_new_version_of_the_mapping_keeps_the_ids(figbridge: Figbridge, tmp_path: Path) -> None:
    """Ids do not depend on the mapping's version."""
    old = MAPPINGS / "orders.yaml"
    (tmp_path / "orders.yaml").write_text(old.read_text().replace("version: 1", "version: 2"))

    def ids(mappings: Path) -> list[tuple[str, int]]:
        out = figbridge("replay", "-m", mappings, "-r", ONE_ORDER, "-o", "json").out
        events = [json.loads(line).get("event") for line in out.splitlines()]
        return [(e["id"], e["mappingversion"]) for e in events if e]

    [(before, one)], [(after, two)] = ids(MAPPINGS), ids(tmp_path)
    assert (one, two) == (1, 2)
    assert before == after


def test_a_parked_key_is_told_with_its_code(figbridge: Figbridge) -> None:
    """A change that cannot be judged is no event and no silence."""
    said = figbridge("replay", "-m", MAPPINGS, "-r", CAPTURES / "postgres" / "update-default.jsonl")
    assert said.out.startswith("parked       key orders[10], code BEFORE_MISSING: ")
    assert "1 parked" in said.out


def test_broken_mappings_are_told_before_anything_is_replayed(figbridge: Figbridge, tmp_path: Path) -> None:
    """Findings on stderr, exit 3, and no half of a result."""
    (tmp_path / "orders.yaml").write_text("mapping: orders\nversion: one\n")
    said = figbridge("replay", "-m", tmp_path, "-r", ONE_ORDER)
    assert (said.code, said.out) == (3, "")
    assert f"{tmp_path}/orders.yaml:2:10: DOC005" in said.err
    assert said.err.endswith("findings\n")


def test_explain_shows_the_steps_and_what_each_rule_gave(figbridge: Figbridge) -> None:
    """The same functions as in a run, step by step."""
    said = figbridge("explain", "4", "-m", MAPPINGS, "-r", ONE_ORDER)
    assert (said.code, said.err) == (0, "")
    steps = re.findall(r"^  ([a-z]+)$", said.out, re.MULTILINE)
    assert steps == ["decode", "collect", "resolve", "translate", "decide"]
    assert "OrderPlaced: true" in said.out
    assert "order.placement: publish (the owner's word) → figbridge.domain.order" in said.out


def test_explain_shows_values_only_when_asked(figbridge: Figbridge) -> None:
    """Rows may hold personal data."""
    without = figbridge("explain", "1", "-m", MAPPINGS, "-r", ONE_ORDER)
    assert "Hauptstr" not in without.out
    shown = figbridge("explain", "1", "-m", MAPPINGS, "-r", ONE_ORDER, "--values")
    assert "Hauptstr" in shown.out


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_explain_is_for_programs_too(form: str, read: object, figbridge: Figbridge) -> None:
    """JSON and YAML have the same steps."""
    assert callable(read)
    found = read(figbridge("explain", "4", "-m", MAPPINGS, "-r", ONE_ORDER, "-o", form).out)
    assert found["position"] == "figbridge.legacy.log/0@4"
    assert [s["step"] for s in found["steps"]] == ["decode", "collect", "resolve", "translate", "decide"]
