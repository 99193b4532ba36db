"""The judge of the campaign on brokers can say no: torn transactions, gaps in commits, a log that went back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from faults.kafka.evidence import Topics

LOG = "p.legacy.log"


def event(offset: int, end: int, partition: int = 0, subject: str = "order-1") -> list[Any]:
    """Return an event of the transaction that ends at an offset of the source log."""
    value = {"id": f"legacy:{end}:x", "source": "legacy", "type": "OrderPlaced", "subject": subject,
             "sourceposition": f"{LOG}/0@{end}"}  # fmt: skip
    return ["p.domain.order", partition, offset, subject, json.dumps(value), 1.0]


def mark(number: int, at: int, writer: str = "a", seen: float = 1.0) -> list[Any]:
    """Return what a commit says of itself."""
    value = {"number": number, "writer": writer, "positions": [[LOG, 0, at]], "pins": {}}
    return [f"{LOG}.g.state", 0, number * 2, "mark", json.dumps(value), seen]


def topics(folder: Path, *lines: list[Any]) -> Topics:
    """Return what a consumer saw."""
    file = folder / "seen.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    made = Topics(file, "p")
    made.refresh()
    return made


def test_two_commits_of_two_transactions_each_are_right(tmp_path: Path) -> None:
    """Offsets 0 and 1 are one commit, 2 is its mark, 3 and 4 the next."""
    seen = topics(tmp_path, mark(1, 10), mark(2, 20), event(0, 5), event(1, 9), event(3, 12), event(4, 19))
    assert seen.no_transaction_is_torn(set()) == 2
    assert seen.commits_have_no_gap() == 2


def test_a_mark_within_a_commit_is_a_transaction_in_two(tmp_path: Path) -> None:
    """Between two events of one commit there is an offset that nobody sees: something was committed in between."""
    seen = topics(tmp_path, mark(1, 10), event(0, 9), event(2, 9))
    with pytest.raises(AssertionError, match="wrote twice"):
        seen.no_transaction_is_torn(set())


def test_an_event_behind_the_committed_position_is_found(tmp_path: Path) -> None:
    """What was said of a transaction that was not read would be said again."""
    with pytest.raises(AssertionError, match="behind the committed position"):
        topics(tmp_path, mark(1, 10), event(0, 10)).no_transaction_is_torn(set())


@pytest.mark.parametrize("second", [mark(3, 20), mark(2, 9)], ids=["missing", "back"])
def test_commits_that_do_not_follow_each_other_are_found(tmp_path: Path, second: list[Any]) -> None:
    """A commit that is missing, and a position that goes back."""
    with pytest.raises(AssertionError, match="is followed by"):
        topics(tmp_path, mark(1, 10), second).commits_have_no_gap()


def test_a_log_that_goes_back_is_found(tmp_path: Path) -> None:
    """An offset that was seen does not come again."""
    with pytest.raises(AssertionError, match="went back"):
        topics(tmp_path, event(1, 5), event(1, 6))


def test_a_takeover_is_another_writers_first_commit(tmp_path: Path) -> None:
    """The same writer's next commit is none."""
    seen = topics(tmp_path, mark(1, 10, "a", 1.0), mark(2, 20, "a", 3.0), mark(3, 30, "b", 4.5))
    assert seen.takeover(2.0) == 2.5
    assert topics(tmp_path, mark(1, 10, "a", 1.0), mark(2, 20, "a", 3.0)).takeover(2.0) is None
