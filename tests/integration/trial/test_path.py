"""The first path anybody takes: sandbox up, connectors apply, run, trade, verify; each command as a process."""

from __future__ import annotations

import pytest

from .conftest import PATIENCE_S, Place

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_the_monolith_reaches_the_domain_topics(place: Place, kind: str) -> None:
    """What the shop's own ledger says is on the domain topics, each once and in order; both ledgers balance; nothing
    that was sold before the connector began is announced; and a bridge that is missing shows."""
    settings = ["--settings", str(place.folder / f"{kind}.yaml")]
    before = place.sandbox("trade", "--on", kind, "-n", "30")
    place.call("connectors", "apply", *settings)
    place.sandbox("trade", "--on", kind, "-n", "100")
    missing = place.sandbox("verify", "--on", kind, "--patience", "2", code=3)
    assert not missing["equal"]
    assert missing["found"]["events"] == 0
    bridge = place.run(kind)
    try:
        traded = place.sandbox("trade", "--on", kind, "-n", "100")
        found = place.sandbox("verify", "--on", kind, "--patience", str(PATIENCE_S))
        status = place.wait_for(settings, lambda source: source["records_behind"] < 50)  # heartbeats go on for ever
    finally:
        place.end(bridge, kind)
    assert found["equal"], found
    assert found["found"]["ledger"] == sum(traded["ledger"].values())
    assert found["found"]["snapshot"] == sum(before["ledger"].values())
    assert found["found"]["events"] == found["found"]["ledger"] - found["found"]["snapshot"]
    assert found["found"]["states"] > 0
    assert status["balanced"]
    assert (status["parked_keys"], status["suspects"], status["quarantined"], status["dead_letters"]) == (0, [], 0, 0)
