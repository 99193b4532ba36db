"""doctor over a real Connect, Kafka and PostgreSQL: green when all is well, red for each setting that moved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from figbridge.cli.exits import Exit
from figbridge.cli.main import run

from .conftest import Shop
from .test_connectors import change_by_hand, said, until

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(420)]


def doctor(shop: Shop, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return what doctor finds."""
    capsys.readouterr()
    code = run(["doctor", "--settings", str(shop.folder / "figbridge.yaml"), "--scan", "-o", "json", *words])
    results = json.loads(capsys.readouterr().out)["results"]
    found = [r for r in results if r["state"] in ("wrong", "unknown")]
    assert code is (Exit.FINDINGS if found else Exit.OK)
    assert len(results) > 50
    return found


def told(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return code and thing of each finding."""
    return {(r["code"], r["about"]) for r in found}


SETTINGS: tuple[tuple[str, str | None, str, str], ...] = (
    ("provide.transaction.metadata", "false", "PRE051", "provide.transaction.metadata"),
    ("tombstones.on.delete", "true", "PRE052", "tombstones.on.delete"),
    ("decimal.handling.mode", "double", "PRE053", "decimal.handling.mode"),
    ("time.precision.mode", "connect", "PRE054", "time.precision.mode"),
    ("unavailable.value.placeholder", "gone", "PRE055", "unavailable.value.placeholder"),
    ("event.converting.failure.handling.mode", None, "PRE056", "event.converting.failure.handling.mode"),
    ("skipped.operations", None, "PRE057", "skipped.operations"),
    ("message.key.columns", "shop.payments:order_id", "PRE058", "message.key.columns"),
    ("predicates", "p", "PRE059", "predicates"),
    ("value.converter.replace.null.with.default", None, "PRE060", "value.converter.replace.null.with.default"),
    ("errors.tolerance", "all", "PRE061", "errors.tolerance"),
    ("exactly.once.support", "requested", "PRE062", "exactly.once.support"),
)


def test_a_connector_that_was_changed_by_hand_is_red_setting_by_setting(
    shop_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a connector nothing about it is green; with it all is; each setting is found with why it matters; what
    Kafka was told is found too, and `apply` mends the connector."""
    shop: Shop = shop_of("postgres")
    missing = doctor(shop, capsys)
    assert {("PRE005", f"{shop.prefix}_legacy"), ("PRE020", f"{shop.prefix}_legacy"), ("PRE050", "legacy")} <= told(
        missing
    )
    assert {r["state"] for r in missing if r["code"] == "PRE051"} == {"unknown"}
    assert next(r["fix"] for r in missing if r["code"] == "PRE050") == "figbridge connectors apply"

    assert shop.call("apply") == Exit.OK
    until(lambda: len(shop.rows("stock", "r")) == 3000, "the snapshot")
    until(lambda: _streams(shop, capsys), "it streams")
    assert [(r["code"], r["about"], r["found"]) for r in doctor(shop, capsys)] == []

    _settings(shop, capsys)
    _topics(shop, capsys)


def _settings(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert shop.call("stop", "legacy") == Exit.OK  # what is written is judged, not what a broken connector does
    for setting, value, code, about in SETTINGS:
        changed = {setting.replace(".", "_"): value}
        if setting == "predicates":
            kind = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"
            changed["predicates_p_type"] = kind
        change_by_hand(shop, **changed)
        found = doctor(shop, capsys)
        assert (code, about) in told(found), setting
        assert {c for c, _ in told(found)} - {code} <= {"PRE020", "PRE022", "PRE023", "PRE050", "PRE063"}, setting
        assert shop.call("apply", "--no-wait") == Exit.OK
    assert shop.call("resume", "legacy") == Exit.OK
    until(lambda: _streams(shop, capsys), "it streams again")
    assert told(doctor(shop, capsys)) == set()


def _topics(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    for setting, value, good, code in (
        ("cleanup.policy", "compact", "delete", "PRE072"),
        ("retention.ms", "3600000", "86400000", "PRE073"),
        ("retention.bytes", "1000000", "-1", "PRE074"),
    ):
        shop.broker.alter(shop.log, {setting: value})
        found = until(lambda: doctor(shop, capsys), f"{setting} is seen")
        assert told(found) == {(code, shop.log)}, setting
        wanted = f"--add-config {setting}={good}"
        assert found[0]["fix"].endswith(wanted), found[0]["fix"]
        shop.broker.alter(shop.log, {setting: good})
    assert told(doctor(shop, capsys, "--outage-hours", "48")) == {("PRE073", f"{shop.prefix}.legacy.log")}


def _streams(shop: Shop, capsys: pytest.CaptureFixture[str]) -> bool:
    capsys.readouterr()
    shop.call("status", "-o", "json")
    return bool(said(capsys)[0]["motion"] == "streaming")
