"""The log goes to the standard error of the moment."""

from __future__ import annotations

import io
import sys

import pytest
import structlog

from figbridge.telemetry.events import LogEvent, configure, tell


def test_a_line_is_written_to_the_standard_error_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever put another stream in its place, and closed it, does not take the log with it."""
    first, second = io.StringIO(), io.StringIO()
    try:
        monkeypatch.setattr(sys, "stderr", first)
        configure(json=True)
        tell(LogEvent.AUTHORITY_MOVED, version=1)
        monkeypatch.setattr(sys, "stderr", second)
        first_text = first.getvalue()
        first.close()
        tell(LogEvent.AUTHORITY_MOVED, version=2)
    finally:
        structlog.reset_defaults()
    assert '"version": 1' in first_text
    assert '"version": 2' in second.getvalue()
