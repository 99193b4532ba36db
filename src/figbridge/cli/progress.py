"""Show progress on stderr while long work runs: how much, how fast, and how long still when that is known."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_FIRST_S = 2.0
_EVERY_S = 0.5


def progress(items: Iterable[T], what: str, unit: str, total: int | None = None) -> Iterator[T]:
    """Yield items; say on stderr how it goes once it takes longer than two seconds, on a terminal in one line."""
    began = said = time.monotonic()
    count = 0
    spoke = False
    for item in items:
        yield item
        count += 1
        if count & 0xFF:
            continue
        now = time.monotonic()
        if now - began > _FIRST_S and now - said > _EVERY_S:
            said, spoke = now, True
            _say(what, unit, count, total, now - began)
    if spoke:
        _say(what, unit, count, total, time.monotonic() - began, end="\n")


class Rate:
    """Say on stderr how many megabytes have come; on a terminal in one line, else every ten seconds."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._said = 0.0
        self._spoke = False

    def say(self, count: int, seconds: float) -> None:
        """Say how far it is: `count` bytes after `seconds`. The total is an estimate, so it may be passed."""
        now = time.monotonic()
        if now - self._said < (_EVERY_S if sys.stderr.isatty() else 10.0):
            return
        self._said, self._spoke = now, True
        rate = count / seconds if seconds else 0.0
        of = f" of about {self._total / 1e6:.0f}" if count < self._total else ""
        left = f", {(self._total - count) / rate:.0f} s left" if of and rate else ""
        text = f"{self._what}: {count / 1e6:.0f}{of} MB, {rate / 1e6:.1f} MB/s{left}"
        sys.stderr.write(f"\r\x1b[K{text}" if sys.stderr.isatty() else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """End the line."""
        if self._spoke and sys.stderr.isatty():
            sys.stderr.write("\n")


class Count:
    """Say on stderr how many things are done, how fast, and how long still; nothing in the first two seconds."""

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._began = self._said = time.monotonic()
        self._spoke = False

    def say(self, count: int, total: int) -> None:
        """Say how far it is."""
        now = time.monotonic()
        if now - self._began > _FIRST_S and now - self._said > _EVERY_S:
            self._said, self._spoke = now, True
            _say(self._what, self._unit, count, total, now - self._began)

    def end(self) -> None:
        """End the line."""
        if self._spoke and sys.stderr.isatty():
            sys.stderr.write("\n")


def _say(what: str, unit: str, count: int, total: int | None, seconds: float, end: str = "") -> None:
    rate = count / seconds if seconds else 0.0
    left = f", {(total - count) / rate:.0f} s left" if total and rate else ""
    of = f" of {total:,}" if total else ""
    text = f"{what}: {count:,}{of} {unit}, {rate:,.0f}/s{left}"
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}{end}")
    else:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
