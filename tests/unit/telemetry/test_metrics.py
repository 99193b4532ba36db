"""The figures are a closed catalogue in Prometheus' format, and the ledger's numbers."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from figbridge.domain.verdict import Verdict
from figbridge.errors import InvariantError
from figbridge.operations.figures import Figures
from figbridge.telemetry import metrics
from figbridge.telemetry.metrics import Kind, Metric, Registry, note
from support.mappings import orders
from support.monolith import insert, update


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Keep figures for the time of a test."""
    monkeypatch.setattr(metrics, "_kept", None)
    return metrics.keep()


def samples(registry: Registry) -> dict[tuple[str, ...], float]:
    """Return (series, label values…) → value as a scraper reads them."""
    found = {}
    for family in text_string_to_metric_families(registry.text().decode()):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found[sample.name, *(v for _, v in sorted(sample.labels.items()))] = sample.value
    return found


def test_nothing_is_kept_until_it_is_asked_for(monkeypatch):
    """A command that ends at once pays nothing for figures."""
    monkeypatch.setattr(metrics, "_kept", None)
    note(Metric.REBALANCES)
    assert samples(metrics.keep())["figbridge_rebalances_total",] == 0


def test_counters_add_gauges_are_set_and_histograms_count(kept):
    """Each kind does what its name says."""
    note(Metric.REBALANCES, 2)
    note(Metric.REBALANCES)
    note(Metric.PARKED_KEYS, 7)
    note(Metric.PARKED_KEYS, 3)
    note(Metric.COMMIT_SECONDS, 0.2)
    found = samples(kept)
    assert found["figbridge_rebalances_total",] == 3
    assert found["figbridge_parked_keys",] == 3
    assert found["figbridge_commit_seconds_count",] == 1


def test_labels_are_a_closed_set(kept):
    """A label that the catalogue does not name could hold anything, a key or a value too."""
    with pytest.raises(InvariantError, match="figbridge_claims_total"):
        note(Metric.CLAIMS, 1, verdict="publish", customer="42")
    with pytest.raises(InvariantError):
        note(Metric.CLAIMS, 1)


def test_names_follow_the_conventions_of_prometheus():
    """One prefix; counters end in _total, seconds are named so; each says what it is."""
    assert len({m.series for m in Metric}) == len(Metric)
    for m in Metric:
        assert m.series.startswith("figbridge_")
        assert m.series.endswith("_total") == (m.kind is Kind.COUNTER)
        assert m.says.endswith(".")


def test_the_counters_of_a_run_are_its_ledgers(kept, rig):
    """Records by what they were counted as and claims by verdict add up to what `figbridge status` shows."""
    rule = "OrderConfirmed: {when: status any -> confirmed, tell: [status], fact: order.status}"
    bridge = rig(orders(rule))
    figures = Figures(bridge.sources.values(), lambda: 0.0)
    bridge.observe = figures.batch
    bridge.commit(insert("orders", order_id=7, number=1007, stat="P"))
    bridge.commit(update("orders", {"order_id": 7}, stat="C"))
    bridge.commit(update("orders", {"order_id": 7}, stat="C"))
    account, found = bridge.account().as_dict(), samples(kept)
    for counted, n in account["records"].items():
        assert counted == "read" or found.get(("figbridge_records_total", counted), 0) == n
    for verdict in Verdict:
        assert found.get(("figbridge_claims_total", "orders", verdict.value), 0) == account["claims"][verdict]
    assert account["claims"]["publish"]
