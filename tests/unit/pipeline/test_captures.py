"""Every captured record through the whole pipeline: nothing raises, each is counted once, nothing invented is said."""

from __future__ import annotations

import gzip
from collections import Counter

import pytest

from figbridge import bootstrap
from figbridge.domain.authority import Authority
from figbridge.operations.replay import Replay
from figbridge.pipeline.perform import Topics
from support.records import CAPTURES, FIXTURES, captured_plan, named

DOCUMENTS = bootstrap.documents(FIXTURES / "mappings" / "captured")
DEBEZIUM = FIXTURES / "debezium"
KNOWN = {"CustomerKnown": 3, "OrderKnown": 3, "StockKnown": 3, "InvoiceKnown": 1}
SENTINELS = ("__debezium_unavailable_value", "unavailable")


def replayed(path):
    """Replay a capture; returns what became of it, and the account."""
    authority: Authority = bootstrap.declared_authority(DOCUMENTS)
    replay = Replay(captured_plan(), bootstrap.edge(captured_plan(), Topics()), authority)
    told = list(replay.run(bootstrap.capture(path)))
    assert replay.account is not None
    return told, replay.account


def lines(path):
    """Return the number of records in a file."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return sum(1 for line in text.split(b"\n") if line.strip())


@pytest.mark.parametrize("path", CAPTURES, ids=named)
def test_every_record_is_accounted_for(path):
    """The number of records read is the number of lines, and both ledgers balance."""
    told, account = replayed(path)
    assert account.records["read"] == lines(path)
    assert account.unbalanced() == ""
    assert account.claims["made"] == sum(n for line, n in account.claims.items() if line != "made")
    assert Counter(t.kind for t in told)["dead"] == account.records["dead"]


@pytest.mark.parametrize("path", CAPTURES, ids=named)
def test_nothing_that_was_not_in_the_log_is_said(path):
    """No event holds a placeholder, and no value of a row before that Debezium made up."""
    told, _ = replayed(path)
    events = [t.body for t in told if t.kind in ("event", "shadow", "unauthorised")]
    assert not [body for body in events if any(s in str(body) for s in SENTINELS)]
    if "default" in path.name or path.name == "identity-nothing.jsonl":
        assert not [body for body in events if "1970-01-01" in str(body)]


@pytest.mark.parametrize(
    ("name", "events", "parked", "dead"),
    [
        ("postgres/one-log/snapshot.jsonl", KNOWN, 0, 0),
        ("postgres/one-log/transaction.jsonl", {"OrderPlaced": 1, "PaymentBooked": 1}, 0, 0),
        ("postgres/one-log/interleaved.jsonl", {"OrderPlaced": 4}, 0, 0),
        ("postgres/one-log/key-update.jsonl", {"OrderPlaced": 1, "OrderRenumbered": 1}, 0, 0),
        ("postgres/one-log/delete-cascade.jsonl", {"OrderErased": 1}, 0, 0),
        ("postgres/one-log/message.jsonl", {"OrderPlaced": 2}, 0, 0),
        ("postgres/one-log/schema-change.jsonl", {"SupplierAppeared": 2}, 0, 1),
        ("postgres/one-log/heartbeat.jsonl", {}, 0, 0),
        ("postgres/delete-full.jsonl", {"OrderPlaced": 1, "OrderErased": 1}, 0, 0),
        ("postgres/delete-default.jsonl", {"OrderPlaced": 1}, 1, 0),
        ("postgres/update-default.jsonl", {}, 1, 0),
        ("postgres/update-full.jsonl", {"OrderConfirmed": 1}, 0, 0),
        ("postgres/update-noise-only.jsonl", {}, 0, 0),
        ("postgres/update-no-op-full.jsonl", {}, 0, 0),
        ("postgres/insert-then-delete-same-transaction.jsonl", {}, 0, 0),
        ("postgres/toast-delete-default.jsonl", {}, 1, 0),
        ("mariadb/one-log/snapshot.jsonl", KNOWN, 0, 0),
        ("mariadb/one-log/transaction.jsonl", {"OrderPlaced": 1, "PaymentBooked": 1}, 0, 0),
        ("mariadb/one-log/xa.jsonl", {"OrderPlaced": 1}, 0, 2),
        ("mariadb/one-log/key-update.jsonl", {"OrderPlaced": 1, "OrderRenumbered": 1}, 0, 0),
        ("mariadb/truncate.jsonl", {"SupplierAppeared": 2}, 0, 1),
        ("mariadb/key-update-line-moves.jsonl", {"OrderPlaced": 2, "OrderRevised": 2}, 0, 0),
    ],
)  # fmt: skip
def test_what_the_captures_say(name, events, parked, dead):
    """The events, parked keys and dead letters of the captures that matter most."""
    told, _ = replayed(DEBEZIUM / name)
    said = Counter(t.body["type"] for t in told if t.kind == "event")
    assert (dict(said), sum(t.kind == "parked" for t in told), sum(t.kind == "dead" for t in told)) == (
        events,
        parked,
        dead,
    )
