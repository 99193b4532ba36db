"""Judge what the bridge has said, by the monolith's own ledger, the tables of the database and what a consumer saw."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from figbridge.demo.monolith import Happening, by_subject

from .evidence import Evidence, Said

RECORDS = ("translated", "unchanged", "snapshot", "marker", "unmapped", "parked", "dead")
CLAIMS = ("publish", "shadow", "no-op", "silent", "unauthorised", "parked")


def the_ledger_is_told(ledger: Iterable[Happening], said: Sequence[Said]) -> int:
    """Each subject's happenings are on the domain topic, each once, in order, with the data that the ledger names, and
    what one transaction did is one commit's. Returns how many.
    """
    expected = by_subject(list(ledger))
    told: dict[str, list[Said]] = defaultdict(list)
    for record in said:
        if record.happening and record.source == "legacy":
            told[record.subject].append(record)
    assert {s: [h.type for h in hs] for s, hs in expected.items()} == {
        s: [r.type for r in rs] for s, rs in told.items()
    }
    commits: dict[int, set[str]] = defaultdict(set)
    transactions: dict[str, set[int]] = defaultdict(set)
    for subject, happenings in expected.items():
        for happening, record in zip(happenings, told[subject], strict=True):
            data = record.event["data"]
            assert {name: data.get(name) for name in happening.data} == happening.data, record
            commits[happening.tx].add(record.commit)
            transactions[record.commit].add(happening.tx)
    assert [tx for tx, found in commits.items() if len(found) != 1] == []
    assert [commit for commit, found in transactions.items() if len(found) != 1] == []
    return sum(len(happenings) for happenings in expected.values())


def each_is_said_once(said: Sequence[Said], *, gaps: bool = False) -> None:
    """No event id comes twice, each subject has one partition, and offsets have no gap, unless on brokers."""
    assert [name for name, n in Counter(r.event["id"] for r in said).items() if n > 1] == []
    assert [r for r in said if r.key != r.subject] == []
    places: dict[tuple[str, str], set[int]] = defaultdict(set)
    offsets: dict[tuple[str, int], list[int]] = defaultdict(list)
    for record in said:
        places[record.topic, record.subject].add(record.partition)
        offsets[record.topic, record.partition].append(record.offset)
    assert [place for place, found in places.items() if len(found) > 1] == []
    if not gaps:  # on brokers the mark of a commit takes an offset, and what was aborted takes more
        assert [place for place, found in offsets.items() if found != list(range(len(found)))] == []


def they_stand_in_commit_order(said: Sequence[Said], late: Collection[str] = ()) -> None:
    """In each partition a source's events stand in the order of its log; `late` subjects were parked meanwhile."""
    last: dict[tuple[str, int, str], tuple[int, int]] = {}
    for record in said:
        if record.subject not in late:
            place, now = (record.topic, record.partition, record.source), (record.at[1], int(record.commit))
            assert last.get(place, (-1, -1)) <= now, record
            last[place] = now


def the_account_balances(evidence: Evidence, said: Sequence[Said]) -> None:
    """Both ledgers add up; as many records were read as lie before the committed positions, and as many claims were
    published as facts are named on the domain topics.
    """
    account = {f"{group} {name}": int(value) for group, name, value in evidence.state("account")}
    _balances(account, evidence.positions())
    assert account["claims publish"] == sum(len(r.event["fact"].split()) for r in said if ".domain." in r.topic)


def _balances(account: dict[str, int], positions: dict[str, int]) -> None:
    read = sum(account.get(f"records {name}", 0) for name in RECORDS)
    assert account["records read"] == read == sum(positions.values())
    assert account.get("claims made", 0) == sum(account.get(f"claims {name}", 0) for name in CLAIMS)


def nothing_is_doubted(evidence: Evidence, *, but: Collection[str] = ()) -> None:
    """No transaction is suspect of having lost rows, for other doubts than those named, and no record is dead."""
    assert [member for _, member, _ in evidence.state("suspects") if member.partition(".")[2] not in but] == []
    assert evidence.end("figbridge.dead-letters") == 0


def all_was_seen_or_nothing(looks: Sequence[dict[str, Any]], said: Sequence[Said], late: Collection[str] = ()) -> int:
    """Whenever a consumer looked, it saw exactly the events before the committed positions, so all of a transaction or
    nothing of it, and both ledgers balanced. Returns how often it looked. `late` subjects were parked meanwhile.
    """
    streams: dict[str, list[Said]] = defaultdict(list)
    for record in said:
        streams[f"{record.topic}/{record.partition}"].append(record)
    before: dict[str, Any] = {"ends": {}, "positions": {}}
    first: dict[str, set[int]] = defaultdict(set)
    for number, look in enumerate(looks):
        if look["account"]:
            _balances(look["account"], look["positions"])
        for stream, end in look["ends"].items():
            start = before["ends"].get(stream, 0)
            assert start <= end, f"{stream} went back from {start} to {end}"
            for record in streams[stream][start:end]:
                if record.subject not in late:
                    log, offset = record.at
                    assert before["positions"].get(log, 0) <= offset < look["positions"][log], record
                    first[f"{log}@{offset}"].add(number)
        before = look
    assert [place for place, found in first.items() if len(found) > 1] == [], "half a transaction was seen"
    return len(looks)


def the_memory_is_the_table(evidence: Evidence, keys: Mapping[str, Iterable[tuple[Any, ...]]]) -> None:
    """What the bridge remembers of a table are the rows that it has, no more and no fewer."""
    for table, rows in keys.items():
        found = [tuple(json.loads(group)) for group, _, _ in evidence.state(f"row:{table}")]
        assert len(found) == len(set(found))
        assert set(found) == set(rows), table
