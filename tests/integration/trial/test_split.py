"""Splitting a source that is bridged already, step by step as docs/connectors.md says; the shop goes on trading."""

from __future__ import annotations

import shutil
from typing import Any

import psycopg
import pytest
import yaml

from figbridge import bootstrap
from figbridge.demo.monolith import by_subject
from figbridge.demo.trial import place as trials
from figbridge.demo.trial.consumer import Follower, Told
from figbridge.demo.trial.verify import whole

from .conftest import Place

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]

STREAMS = {"sales": ["orders", "shipments"], "people": ["customers"], "goods": ["stock"]}


def test_a_source_is_split_while_its_monolith_goes_on(place: Place) -> None:
    """A consumer that drops ids it knows has each happening once and in order: those of the old log, those that both
    heard, those of the streams alone."""
    settings = ["--settings", str(place.folder / "postgres.yaml")]
    trial = trials.place(bootstrap.sandbox(place.folder), "postgres")
    old, new = trial.documents, place.folder / "split"

    def trade() -> None:
        place.sandbox("trade", "--on", "postgres", "-n", "60")

    place.call("connectors", "apply", *settings)
    bridge = place.run("postgres")
    trade()

    # 1. The new connectors beside the old one.
    shutil.copytree(old, new)
    document = yaml.safe_load((new / "legacy.yaml").read_text())
    (new / "legacy.yaml").write_text(yaml.safe_dump({**document, "streams": STREAMS}))
    place.call("connectors", "apply", "--connect", str(new), *settings)
    trade()
    # 2. The old one stops, and what it wrote is read to its end.
    place.call("connectors", "stop", "legacy", *settings)
    trade()
    place.wait_for(settings, lambda source: source["source"] != "legacy" or source["records_behind"] == 0)
    # 3. The bridge reads the streams from now on.
    place.end(bridge, "postgres")
    told = yaml.safe_load(trial.settings.read_text())
    told["connect"]["documents"] = str(new)
    trial.settings.write_text(yaml.safe_dump(told))
    bridge = place.run("postgres")
    try:
        # 4. The old connector and its slot go.
        place.call("connectors", "delete", "legacy", "--yes", "--connect", str(old), *settings)
        drop_slot(trial, "legacy")
        trade()
        status = place.wait_for(settings, lambda source: source["records_behind"] < 50)
        assert_told(trial)
    finally:
        place.end(bridge, "postgres")
    behind = {source["source"]: source["records_behind"] for source in status["sources"]}
    assert behind.pop("legacy") == 0  # its topic is still there, and nobody writes it
    assert behind.keys() == {"delivery", *(f"legacy_{name}" for name in STREAMS)}
    assert (status["balanced"], status["suspects"], status["dead_letters"]) == (True, [], 0)


def drop_slot(trial: trials.Trial, connector: str) -> None:
    """Drop the slot that a deleted connector leaves behind."""
    with psycopg.connect(trial.box.postgres.url(trial.database("legacy")), autocommit=True) as admin:
        names = [name for (name,) in admin.execute("SELECT slot_name FROM pg_replication_slots WHERE NOT active")]
        assert len(names) == 1, names
        assert connector in names[0]
        admin.execute("SELECT pg_drop_replication_slot(%s)", names)


def assert_told(trial: trials.Trial) -> None:
    """Hold the shop's ledger against the domain topics as a consumer sees them that drops the ids it knows."""
    with trial.shop(None) as shop:  # type: ignore[arg-type]
        ledger = shop.stored_ledger()
    said: dict[str, Told] = {}
    again = 0
    with Follower(trial.box.bootstrap, f"{trial.prefix}.domain.") as follower:
        while True:
            follower.topics()
            found = [t for t in follower.look() if t.happening and t.event["source"] == "legacy"]
            for t in found:
                again += t.event["id"] in said
                said.setdefault(t.event["id"], t)
            if not found and whole(ledger, list(said.values())):
                break
    subjects: dict[str, list[Any]] = {}
    for each in said.values():
        subjects.setdefault(each.subject, []).append(each.type)
    expected = {subject: [h.type for h in happenings] for subject, happenings in by_subject(ledger).items()}
    assert subjects == expected
    assert again, "the streams repeated nothing that the old log said: the two did not run side by side"
