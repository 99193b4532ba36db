"""The bridge beside other ways of turning row changes into events, on one real broker, in one run."""

from __future__ import annotations

from benchmarks.kafka.measure import main

__all__ = ["main"]
