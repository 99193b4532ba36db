"""The log goes to the standard error of the moment."""

from __future__ import annotations

import io
import sys

import pytest

from figbridge.telemetry.events import LogEvent, configure, tell, telling


def test_a_line_is_written_to_the_standard_error_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever put another stream in its place, and closed it, does not take the log with it."""
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure(json=True)
    tell(LogEvent.AUTHORITY_MOVED, version=1)
    monkeypatch.setattr(sys, "stderr", second)
    first_text = first.getvalue()
    first.close()
    tell(LogEvent.AUTHORITY_MOVED, version=2)
    assert '"version": 1' in first_text
    assert '"version": 2' in second.getvalue()


def test_after_a_block_lines_go_where_they_went_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream of the block may be closed after it: nothing is written there any more."""
    usual, own = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", usual)
    configure(json=True)
    with telling(own):
        tell(LogEvent.AUTHORITY_MOVED, version=1)
    said = own.getvalue()
    own.close()
    tell(LogEvent.AUTHORITY_MOVED, version=2)
    assert '"version": 1' in said
    assert "2" in usual.getvalue()
