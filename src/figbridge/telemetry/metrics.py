"""Every figure that a process keeps of itself: a closed catalogue, in Prometheus' text format.

No label ever holds a column's value or a key: names of sources, mappings, facts, verdicts and reasons only. Nothing is
kept, and nothing is loaded, until `keep` is called: commands that end at once need no figures.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Final

from figbridge.errors import InvariantError


class Kind(StrEnum):
    """Name what a figure can do."""

    COUNTER = "counter"
    """Only grows, from the start of the process."""
    GAUGE = "gauge"
    """Is what it is now."""
    HISTOGRAM = "histogram"
    """Seconds, by how many took at most so long."""


class Metric(Enum):
    """Name a figure: its series, its kind, its labels, and what it says."""

    RECORDS = (
        "figbridge_records_total",
        Kind.COUNTER,
        ("counted",),
        "Records read, by what each was counted as.",
    )
    CLAIMS = (
        "figbridge_claims_total",
        Kind.COUNTER,
        ("verdict", "mapping"),
        "Claims made, by verdict and by the mapping or service that made them.",
    )
    TRANSACTIONS = (
        "figbridge_transactions_total",
        Kind.COUNTER,
        ("source",),
        "Source transactions and snapshot rows committed.",
    )
    COMMIT_SECONDS = (
        "figbridge_commit_seconds",
        Kind.HISTOGRAM,
        (),
        "Time from the verdicts of a batch to its durable commit.",
    )
    LAG_RECORDS = (
        "figbridge_lag_records",
        Kind.GAUGE,
        ("source",),
        "Records in a source log that are not committed yet.",
    )
    LAG_SECONDS = (
        "figbridge_lag_seconds",
        Kind.GAUGE,
        ("source",),
        "Age of the oldest source commit that is not committed yet; 0 when nothing waits.",
    )
    PARKED_KEYS = (
        "figbridge_parked_keys",
        Kind.GAUGE,
        (),
        "Keys that wait for a person's decision.",
    )
    PARKED_OLDEST_SECONDS = (
        "figbridge_parked_oldest_seconds",
        Kind.GAUGE,
        (),
        "Age of the oldest waiting change, since its source commit.",
    )
    DEAD_LETTERS = (
        "figbridge_dead_letters_total",
        Kind.COUNTER,
        ("reason",),
        "Records that could not be used.",
    )
    SUSPECTS = (
        "figbridge_suspects_total",
        Kind.COUNTER,
        ("source", "doubt"),
        "Transactions that may have lost rows on their way into the log.",
    )
    SUSPECTS_OPEN = (
        "figbridge_suspects_open",
        Kind.GAUGE,
        ("source",),
        "Suspect transactions that nobody has settled yet, of the source logs that this process holds.",
    )
    AUTHORITY_VERSION = (
        "figbridge_authority_version",
        Kind.GAUGE,
        (),
        "Version of the authority that the newest batch was judged by.",
    )
    AUTHORITY_MOVED = (
        "figbridge_authority_moved_total",
        Kind.COUNTER,
        (),
        "Batches that were judged again because the authority moved.",
    )
    READY = (
        "figbridge_ready",
        Kind.GAUGE,
        (),
        "1 while it works or stands by; 0 when its newest attempt to work failed: of the authority store or the log.",
    )
    HELD_SOURCES = (
        "figbridge_held_sources",
        Kind.GAUGE,
        (),
        "Source logs that this process holds; the others are held by other processes, for which it stands by.",
    )
    REBALANCES = (
        "figbridge_rebalances_total",
        Kind.COUNTER,
        (),
        "Changes of what this process holds.",
    )
    PRODUCER_ROTATIONS = (
        "figbridge_producer_rotations_total",
        Kind.COUNTER,
        ("why",),
        "Transactional producers given up and replaced.",
    )
    RESTORED_ENTRIES = (
        "figbridge_restored_entries_total",
        Kind.COUNTER,
        (),
        "Entries of the state read from its changelog, because the local cache was not at the committed position.",
    )

    def __init__(self, series: str, kind: Kind, labels: tuple[str, ...], says: str) -> None:
        self.series = series
        self.kind = kind
        self.labels = labels
        self.says = says


_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Registry:
    """Keep the figures of one process. Raises InvariantError for labels that a figure does not have."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

        self._generate = generate_latest
        self._registry = CollectorRegistry()
        self._counters: dict[Metric, Counter] = {}
        self._gauges: dict[Metric, Gauge] = {}
        self._histograms: dict[Metric, Histogram] = {}
        for m in Metric:
            match m.kind:
                case Kind.COUNTER:
                    self._counters[m] = Counter(m.series, m.says, m.labels, registry=self._registry)
                case Kind.GAUGE:
                    self._gauges[m] = Gauge(m.series, m.says, m.labels, registry=self._registry)
                case Kind.HISTOGRAM:
                    self._histograms[m] = Histogram(
                        m.series, m.says, m.labels, buckets=_BUCKETS, registry=self._registry
                    )

    def note(self, metric: Metric, value: float, labels: dict[str, str]) -> None:
        """Add to a counter, set a gauge, or count an observation."""
        if set(labels) != set(metric.labels):
            raise InvariantError(
                f"figure {metric.series} and the labels {', '.join(labels)} do not go together", code="BUG003"
            )
        match metric.kind:
            case Kind.COUNTER:
                counter = self._counters[metric]
                (counter.labels(**labels) if labels else counter).inc(value)
            case Kind.GAUGE:
                gauge = self._gauges[metric]
                (gauge.labels(**labels) if labels else gauge).set(value)
            case Kind.HISTOGRAM:
                histogram = self._histograms[metric]
                (histogram.labels(**labels) if labels else histogram).observe(value)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text exposition format 0.0.4."""
        return self._generate(self._registry)


_kept: Registry | None = None


def keep() -> Registry:
    """Keep figures from now on, in a registry that is empty; returns it."""
    global _kept  # noqa: PLW0603 — one process has one set of figures, as it has one log
    _kept = Registry()
    return _kept


def note(metric: Metric, value: float = 1.0, **labels: str) -> None:
    """Add to a counter, set a gauge, or count an observation, if this process keeps figures."""
    if _kept is not None:
        _kept.note(metric, value, labels)
