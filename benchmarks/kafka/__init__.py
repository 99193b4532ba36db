"""The bridge beside other ways of turning row changes into events, on one real broker, in one run."""

from __future__ import annotations


def main() -> None:
    """Measure all of them."""
    from benchmarks.kafka.measure import main as measure  # here: Quix Streams runs beside this, without figbridge

    measure()
