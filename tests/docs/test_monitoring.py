"""Alert rules and the dashboard speak of figures that there are, and lead to commands and pages that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from figbridge.telemetry.metrics import Kind, Metric

from .pages import ROOT, commands, page, pages

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(page("deploy/prometheus/alerts.yml"))["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads(page("deploy/grafana/dashboards/figbridge.json"))
SERVICES = yaml.safe_load(page("docker-compose.yml"))["services"]
ADDED = {"job", "instance"}
"""Labels that Prometheus gives every series it scrapes."""


def figures() -> dict[str, set[str]]:
    """Return series → labels, as a scraper has them."""
    found: dict[str, set[str]] = {"up": set()}
    for m in Metric:
        labels = set(m.labels)
        if m.kind is Kind.HISTOGRAM:
            found |= {f"{m.series}_bucket": labels | {"le"}, f"{m.series}_count": labels, f"{m.series}_sum": labels}
        else:
            found[m.series] = labels
    return found


def queries() -> Iterator[tuple[str, str, str]]:
    """Yield where a query stands, its PromQL, and the text beside it that may name labels."""
    for rule in RULES:
        yield rule["alert"], rule["expr"], rule["annotations"]["summary"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target["legendFormat"]


@pytest.mark.parametrize(("where", "query", "text"), list(queries()), ids=lambda value: value[:24])
def test_a_query_asks_for_figures_and_labels_that_there_are(where: str, query: str, text: str) -> None:
    """A series or a label that nobody writes makes an alert that never comes, and a panel that is always empty."""
    known = figures()
    named = re.findall(r"\b(?:figbridge_\w+|up)\b", query)
    assert named
    assert set(named) <= known.keys(), where
    labels = ADDED.union(*(known[series] for series in named))
    for listed in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", query):
        assert {label.strip() for label in listed.split(",")} <= labels, where
    for series, matchers in re.findall(r"(\w+)\{([^}]*)\}", query):
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= known[series] | ADDED, where
    kept = re.findall(r"\bby\s*\(([^)]*)\)", query)
    shown = re.findall(r"\$labels\.(\w+)", text) + re.findall(r"\{\{(\w+)\}\}", text)
    assert all(any(label in listed for listed in kept) for label in shown) if kept else set(shown) <= labels, where


@pytest.mark.parametrize(("where", "query", "text"), list(queries()), ids=lambda value: value[:24])
def test_a_counter_is_asked_for_its_growth(where: str, query: str, text: str) -> None:
    """Counters begin anew with a process: their value says nothing, unless it is only asked whether they exist."""
    for m in Metric:
        if m.kind is Kind.COUNTER:
            plain = re.sub(rf"(?:rate|increase)\({m.series}(?:\{{[^}}]*\}})?\[\w+\]\)", "", query)
            assert m.series not in plain or "unless" in plain, where


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_why_and_what_next(rule: dict[str, Any]) -> None:
    """Whoever is woken reads what is wrong, why it matters, a command that exists, and a page that speaks of it."""
    said = rule["annotations"]
    assert set(said) == {"summary", "why", "next", "runbook"}
    assert all(said[name].endswith(".") for name in ("summary", "why"))
    assert rule["labels"]["severity"] in ("page", "ticket")
    shown = {line.split(" --")[0].strip() for p in pages() for line in commands(p.read_text(encoding="utf-8"))}
    assert said["next"] in shown, "a command that some page shows, so that it is checked there"
    assert (ROOT / said["runbook"]).exists()
    assert said["runbook"].startswith("runbooks/")


def test_every_alert_that_has_a_page_of_its_own_is_named_there() -> None:
    """From a page a reader finds back to its alert."""
    for name in ("bridge-down", "bridge-cannot-work", "bridge-lags"):
        mine = {r["alert"] for r in RULES if r["annotations"]["runbook"] == f"runbooks/{name}.md"}
        assert mine
        assert mine == set(re.findall(r"`(Figbridge\w+)`", page(f"runbooks/{name}.md")))


def test_alerts_have_names_of_their_own() -> None:
    """Two alerts of one name would hide each other."""
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))


def test_what_metrics_says_to_alert_on_has_an_alert() -> None:
    """The figures that stand for trouble are all watched."""
    text = " ".join(rule["expr"] for rule in RULES)
    for m in (Metric.LAG_SECONDS, Metric.PARKED_KEYS, Metric.PARKED_OLDEST_SECONDS, Metric.DEAD_LETTERS,
              Metric.SUSPECTS_OPEN, Metric.READY, Metric.TRANSACTIONS):  # fmt: skip
        assert m.series in text
    assert "up{" in text


def test_prometheus_and_grafana_load_them() -> None:
    """The containers see the folders, the settings in them name the files, and both mean one source of data."""
    mounts = {(v["source"], v["target"]) for n in ("prometheus", "grafana") for v in SERVICES[n]["volumes"]
              if isinstance(v, dict)}  # fmt: skip
    assert mounts == {
        ("./deploy/prometheus", "/etc/prometheus"),
        ("./deploy/grafana", "/etc/grafana/provisioning"),
    }
    prometheus = yaml.safe_load(page("deploy/prometheus/prometheus.yml"))
    assert prometheus["rule_files"] == ["alerts.yml"]
    assert {'up{job="figbridge"} == 0'} <= {r["expr"] for r in RULES}
    assert "figbridge" in {job["job_name"] for job in prometheus["scrape_configs"]}
    (provider,) = yaml.safe_load(page("deploy/grafana/dashboards/figbridge.yaml"))["providers"]
    assert provider["options"]["path"] == "/etc/grafana/provisioning/dashboards"
    (file,) = (ROOT / "deploy" / "grafana" / "datasources").iterdir()
    (source,) = yaml.safe_load(Path(file).read_text(encoding="utf-8"))["datasources"]
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
