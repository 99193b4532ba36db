"""What Debezium is told, and what it is never told."""

from __future__ import annotations

import pytest

from figbridge.adapters.engine.settings import EngineConfig, properties
from figbridge.errors import ConfigurationError

CONFIG = EngineConfig(
    "legacy", "db", 5432, "cdc", "retail", ("shop.lines", "shop.or$ders"),
    password="it's \\ secret", full_identity=("shop.lines",),
)  # fmt: skip


def test_tables_are_literal_and_keep_their_order() -> None:
    """Names become regular expressions that match only themselves; the snapshot follows their order."""
    assert properties(CONFIG)["table.include.list"] == r"shop\.lines,shop\.or\$ders"


def test_everything_goes_to_one_topic() -> None:
    """One router sends rows, markers and heartbeats to the source log."""
    told = properties(CONFIG)
    assert (told["transforms.one.regex"], told["transforms.one.replacement"]) == (".*", "figbridge.legacy.log")


def test_names_follow_from_the_prefix_unless_they_are_given() -> None:
    """Slot and publication have the source's name."""
    told = properties(CONFIG)
    assert (told["slot.name"], told["publication.name"]) == ("figbridge_legacy", "figbridge_legacy")


@pytest.mark.parametrize("part", ["key", "value", "header"])
def test_nulls_are_not_replaced_and_no_schema_is_written(part: str) -> None:
    """Keys, values and headers are plain JSON with nulls kept."""
    told = properties(CONFIG)
    assert told[f"{part}.converter.schemas.enable"] == "false"
    assert told[f"{part}.converter.replace.null.with.default"] == "false"


def test_the_connector_never_restarts_by_itself() -> None:
    """It would go on from Debezium's offset instead of the log's point."""
    assert properties(CONFIG)["errors.max.retries"] == "0"


def test_full_identity_is_told_only_when_asked_for() -> None:
    """Without such tables the setting is absent: an empty one is refused."""
    assert properties(CONFIG)["replica.identity.autoset.values"] == "shop.lines:FULL"
    plain = EngineConfig("legacy", "db", 5432, "cdc", "retail", ("shop.lines",))
    assert "replica.identity.autoset.values" not in properties(plain)


def test_more_settings_win() -> None:
    """A caller's own setting replaces the engine's."""
    config = EngineConfig("a", "db", 1, "u", "d", ("s.t",), more={"max.batch.size": "10", "poll.interval.ms": "5"})
    assert (properties(config)["max.batch.size"], properties(config)["poll.interval.ms"]) == ("10", "5")


def test_the_password_is_not_in_the_text_of_the_configuration() -> None:
    """What is logged of a configuration has no secret in it, and the connection string quotes it."""
    assert "secret" not in repr(CONFIG)
    assert r"password='it\'s \\ secret'" in CONFIG.dsn


def test_every_wrong_name_is_reported() -> None:
    """All findings at once, each with its code."""
    with pytest.raises(ConfigurationError) as caught:
        EngineConfig("Legacy-1", "db", 5432, "cdc", "retail", ("orders", "shop.a,b"))
    assert [finding.code for finding in caught.value.findings] == ["CFG070", "CFG071", "CFG071"]
    with pytest.raises(ConfigurationError, match="no table"):
        EngineConfig("legacy", "db", 5432, "cdc", "retail", ())
