"""A replayed dead record says what it would have said, with the same ids and verdicts, counted once; or is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from figbridge.adapters.vault import new_key, vault
from figbridge.domain.authority import Cut
from figbridge.domain.verdict import Verdict
from figbridge.errors import Refused
from figbridge.operations.dead_letters import list_letters
from figbridge.pipeline.control_letters import LetterDecision
from figbridge.ports import Outgoing, TopicPartition
from support.mappings import orders, stock
from support.monolith import Monolith, delete, insert, update
from support.rig import GROUP, TOPICS, Rig

from .test_services import DELIVERY, LOG
from .test_services import row as said

Made = Callable[..., Rig]

COUNTED = """Counted: {when: appears, tell: [onHand], fact: stock.level}
  Gone: {when: disappears, tell: [], fact: stock.level}"""
EVENTS = """
Placed: {when: appears, tell: [lines, total], fact: order.placement}
Stated: {when: status changes, tell: [status], fact: order.status}
"""
RIGHT = stock(COUNTED)
WRONG = RIGHT.replace("key: item_cd", "key: item_code").replace("{item_cd}", "{item_code}")
ORDERS = orders(EVENTS)
NO_ORDERS = ORDERS.replace("key: order_id, before", "key: order_ident, before")
A1 = insert("stock", item_cd="A1", on_hand=3, reserved=0)
B2 = insert("stock", item_cd="B2", on_hand=4, reserved=0)
ORDER = insert("orders", order_id=7, number=1007, stat="P", cust_id=1, tot_amt="5.00")
LINE = insert("order_lines", order_id=7, line_no=1, item_cd="A1", qty=2)


def told(bridge: Rig, kind: str = "domain") -> list[tuple[bytes | None, bytes | None]]:
    """Return the events with their keys, sorted: what a replay writes stands later in its topic."""
    return sorted((r.key, r.value) for r in bridge.records(kind))


def positions(bridge: Rig) -> list[str]:
    """Return the names of the open letters."""
    return [letter.position for letter in bridge.letters("open")]


def never_dead(rig: Made, mapping: str, *transactions: tuple) -> Rig:
    """Return a bridge that had the right mapping from the beginning."""
    bridge = rig(mapping)
    for steps in transactions:
        bridge.commit(*steps)
    return bridge


@pytest.fixture
def dead(rig: Made) -> Rig:
    """Return a bridge that was started with a wrong key, and then with the right one: two rows are dead."""
    bridge = rig(WRONG)
    assert bridge.commit(A1, B2) == []
    bridge.start(RIGHT)
    return bridge


def test_a_replay_says_what_would_have_been_said(rig: Made, dead: Rig) -> None:
    """Event for event, byte for byte: ids, times, positions and data are those of a bridge that was never wrong."""
    assert [letter.reason for letter in dead.letters()] == ["KEY_MISSING"] * 2
    assert dead.account().as_dict()["records"]["dead"] == 2
    dead.replay(positions(dead)[0])
    assert told(dead) == told(never_dead(rig, RIGHT, (A1, B2))) != []
    assert dead.account().as_dict() == never_dead(rig, RIGHT, (A1, B2)).account().as_dict() | {
        "records": dead.account().as_dict()["records"]
    }
    records = dead.account().as_dict()["records"]
    assert (records["dead"], records["translated"], records["marker"]) == (0, 2, 3)


def test_what_is_dead_of_one_transaction_is_replayed_as_one(rig: Made) -> None:
    """An order and its line were committed together: replaying either tells both, in one event."""
    wrong = NO_ORDERS.replace("key: [order_id, line_no]", "key: [order_id, line_number]")
    bridge = rig(wrong)
    bridge.commit(ORDER, LINE)
    bridge.start(ORDERS)
    bridge.replay(positions(bridge)[1])
    assert told(bridge) == told(never_dead(rig, ORDERS, (ORDER, LINE)))
    (event,) = bridge.events()
    assert event.data["lines"] == [{"sku": "A1", "quantity": 2}]
    assert [letter.state for letter in bridge.letters()] == ["replayed", "replayed"]


def test_a_replay_is_judged_where_its_transaction_ended(dead: Rig) -> None:
    """Authority that moved since does not move the past: legacy owned the fact then."""
    end = dead.log.ends([TOPICS.log("legacy")])[TopicPartition(TOPICS.log("legacy"), 0)]
    dead.grant("stock.level", "warehouse", Cut(TOPICS.log("legacy"), 0, end))
    dead.commit(insert("stock", item_cd="C3", on_hand=1, reserved=0))
    dead.replay(positions(dead)[0])
    assert [(s.subject, s.type) for s in dead.events()] == [("stock-A1", "Counted"), ("stock-B2", "Counted")]
    assert [c.subject for c in dead.claims(Verdict.UNAUTHORISED)] == ["stock-C3"]


def test_a_letter_is_replayed_once(dead: Rig) -> None:
    """A second decision is refused by the command; one that was on its way already is settled by the bridge."""
    first = positions(dead)[0]
    dead.ask_replay(first)
    dead.ask_replay(first)
    dead.drain()
    assert len(dead.events()) == 2
    letter = dead.letters()[0]
    assert [(d.state, d.code, d.by) for d in letter.decisions] == [("replayed", "", "ann"), ("open", "SETTLED", "ann")]
    assert letter.state == "replayed"
    with pytest.raises(Refused) as refused:
        dead.ask_replay(first)
    assert refused.value.code == "LET002"


@pytest.mark.parametrize("batch", [1, 1000])
def test_a_bridge_that_dies_before_its_commit_replays_once(dead: Rig, batch: int) -> None:
    """The decision, its events and its outcome are one commit: without it, it is taken again."""
    dead.ask_replay(positions(dead)[0])
    records = dead.session.poll(10, 0)
    dead.process.take(records)
    dead.process.commit(dead.process.decide(dead.store.load()))  # and no session.commit: it is lost
    dead.batch = batch
    dead.start(RIGHT)
    dead.drain()
    assert len(dead.events()) == 2
    assert [letter.state for letter in dead.letters()] == ["replayed", "replayed"]


LATER = {
    "the row": [update("stock", {"item_cd": "A1"}, on_hand=9)],
    "its end": [delete("stock", item_cd="A1")],
    "its key": [update("stock", {"item_cd": "A1"}, item_cd="Z9")],
    "the other row of the transaction": [update("stock", {"item_cd": "B2"}, on_hand=9)],
}


@pytest.mark.parametrize("steps", LATER.values(), ids=LATER)
def test_a_row_that_changed_since_is_not_replayed(dead: Rig, steps: list) -> None:
    """Its word would come after a later one of the same aggregate: refused, and nothing is sent."""
    dead.commit(*steps)
    before = dead.written()
    with pytest.raises(Refused, match="CHANGED_SINCE") as refused:
        dead.ask_replay(positions(dead)[0])
    assert refused.value.code == "LET004"
    assert dead.written() == before
    assert dead.log.ends([TOPICS.control]) == {(TOPICS.control, 0): 0}


def test_a_change_that_comes_after_the_command_is_seen_by_the_bridge(dead: Rig) -> None:
    """Between the command and the bridge the row changes: the bridge looks at what the command could not see."""
    end = dead.log.committed(GROUP)[TopicPartition(TOPICS.log("legacy"), 0)]
    decision = [r for r in asked(dead) if r.clear_to == end]
    assert len(decision) == 1
    dead.commit(update("stock", {"item_cd": "A1"}, on_hand=9))
    assert [d.code for d in dead.letters()[0].decisions] == ["CHANGED_SINCE"]
    assert [letter.state for letter in dead.letters()] == ["open", "open"]
    assert dead.events() == []


def asked(bridge: Rig) -> list[LetterDecision]:
    """Ask for a replay; returns what the control topic holds. In one poll the source log comes before it."""
    bridge.ask_replay(positions(bridge)[0])
    found = bridge.log.read(TopicPartition(TOPICS.control, 0), 0, 10)
    return [msgspec.json.decode(r.value or b"", type=LetterDecision) for r in found]


RELATED = {
    "a line of it": [insert("order_lines", order_id=7, line_no=2, item_cd="B2", qty=1)],
    "a payment of it": [insert("payments", pay_id=1, order_id=7, meth="C", amt="1")],
    "the address it points at": [update("addresses", {"addr_id": 5}, city="Ulm")],
}


@pytest.mark.parametrize("steps", RELATED.values(), ids=RELATED)
def test_a_related_row_that_changed_since_is_in_the_way(rig: Made, steps: list) -> None:
    """The order would be told with an address of tomorrow, or after a line that was told as another event."""
    right = orders(EVENTS.replace("[lines, total]", "[lines, shipTo]"))
    bridge = rig(right.replace("key: order_id, before", "key: order_ident, before"))
    bridge.know(insert("addresses", addr_id=5, name="Ada", city="Bonn"))
    bridge.commit(insert("orders", order_id=7, number=1007, stat="P", ship_addr_id=5))
    bridge.commit(*steps)
    bridge.start(right)
    with pytest.raises(Refused, match="CHANGED_SINCE"):
        bridge.ask_replay(positions(bridge)[0])


def test_another_aggregates_changes_are_not_in_the_way(dead: Rig) -> None:
    """Only what judging looks at counts."""
    dead.commit(insert("stock", item_cd="C3", on_hand=1, reserved=0))
    dead.commit(update("stock", {"item_cd": "C3"}, on_hand=2))
    dead.replay(positions(dead)[0])
    assert [letter.state for letter in dead.letters()] == ["replayed", "replayed"]


def test_dead_changes_of_one_row_are_replayed_in_their_order(rig: Made) -> None:
    """An open letter is no change that was told; a replayed one is."""
    bridge = rig(WRONG)
    bridge.commit(A1)
    bridge.commit(delete("stock", item_cd="A1"))
    bridge.start(RIGHT)
    bridge.replay(*positions(bridge))
    assert told(bridge) == told(never_dead(rig, RIGHT, (A1,), (delete("stock", item_cd="A1"),)))
    other = rig(WRONG)
    other.commit(A1)
    other.commit(delete("stock", item_cd="A1"))
    other.start(RIGHT)
    other.replay(positions(other)[1])
    with pytest.raises(Refused, match="CHANGED_SINCE"):
        other.ask_replay(positions(other)[0])


def test_a_key_that_cannot_be_judged_is_parked_by_a_replay(rig: Made) -> None:
    """A dead update whose row nobody knows: it is parked with the reason, not guessed at."""
    last_known = RIGHT.replace("before: required", "before: last-known")
    wrong = WRONG.replace("before: required", "before: last-known")
    changes = "\n  Changed: {when: onHand changes, tell: [onHand], fact: stock.level}"
    bridge = rig(wrong.replace(COUNTED, COUNTED + changes))
    bridge.monolith.fill(A1)
    bridge.commit(update("stock", {"item_cd": "A1"}, on_hand=9))
    bridge.start(last_known.replace(COUNTED, COUNTED + changes))
    bridge.replay(positions(bridge)[0])
    assert bridge.parked() == {'stock["A1"]': ["UNSURE"]}
    assert bridge.letters()[0].decisions[0].parked == ['stock["A1"]']
    assert bridge.account().as_dict()["records"]["parked"] == 1


def test_what_is_still_dead_stays_open(dead: Rig) -> None:
    """The mapping was not corrected: refused, with the reason."""
    dead.start(WRONG)
    with pytest.raises(Refused, match="STILL_DEAD"):
        dead.ask_replay(positions(dead)[0])


def test_a_table_that_no_mapping_uses_any_more_says_nothing(dead: Rig) -> None:
    """There is nothing to be said: discard it."""
    dead.start(orders(EVENTS))
    with pytest.raises(Refused, match="NOT_A_ROW"):
        dead.ask_replay(positions(dead)[0])


def test_rows_of_a_transaction_without_an_end_are_not_replayed(rig: Made) -> None:
    """Whether they were committed is not in the log."""
    bridge = rig(RIGHT)
    bridge.write(bridge.monolith.begin(A1))
    bridge.commit(B2)
    assert [letter.reason for letter in bridge.letters()] == ["NEVER_ENDED"]
    with pytest.raises(Refused, match="NEVER_ENDED"):
        bridge.ask_replay(positions(bridge)[0])


def test_a_dead_snapshot_row_states_what_is_known(rig: Made) -> None:
    """As the snapshot would have: the same id, never a happening."""
    mapping = RIGHT + "snapshot: StockKnown"
    bridge = rig(WRONG + "snapshot: StockKnown")
    bridge.know(A1)
    bridge.start(mapping)
    bridge.replay(positions(bridge)[0])
    right = rig(mapping)
    right.know(A1)
    assert told(bridge) == told(right)
    assert [s.type for s in bridge.events()] == ["StockKnown"]
    assert bridge.account().as_dict()["records"]["snapshot"] == 1


def test_a_record_that_the_log_has_lost_is_refused(dead: Rig) -> None:
    """By reference there is nothing left to replay."""
    dead.edge = replace(dead.edge, history=lambda *_: ())
    with pytest.raises(Refused, match="GONE"):
        dead.ask_replay(positions(dead)[0])


def test_a_discarded_letter_says_nothing_and_stays_counted_as_dead(dead: Rig) -> None:
    """Who and why are kept; it cannot be replayed afterwards."""
    first, second = positions(dead)
    dead.discard(first)
    assert [letter.state for letter in dead.letters()] == ["discarded", "open"]
    assert (dead.letters()[0].decisions[0].by, dead.letters()[0].decisions[0].reason) == ("ann", "noise")
    assert dead.account().as_dict()["records"]["dead"] == 2
    with pytest.raises(Refused) as refused:
        dead.ask_replay(first)
    assert refused.value.code == "LET002"
    dead.replay(second)
    assert [s.subject for s in dead.events()] == ["stock-B2"]


def test_filters_narrow_the_list(dead: Rig) -> None:
    """By state, reason and source."""
    dead.discard(positions(dead)[0])

    def count(**filters: str) -> int:
        return len(list(list_letters(dead.log, GROUP, TOPICS, **filters)))

    assert (count(), count(state="open"), count(reason="KEY_MISSING"), count(reason="TRUNCATE")) == (2, 1, 2, 0)
    assert (count(source="legacy"), count(source="delivery")) == (2, 0)


def test_a_letter_of_an_older_version_is_listed_and_not_replayed(dead: Rig) -> None:
    """It does not say where its transaction ended: its ids could only be guessed."""
    body = {"reason": "KEY_MISSING", "detail": "", "source": "legacy", "position": f"{TOPICS.log('legacy')}/0@1"}
    dead.discard(positions(dead)[0])
    dead.log.append([Outgoing(TOPICS.dead_letters, None, json.dumps({**body, "position": "x/0@1"}).encode())])
    assert dead.letters()[-1].state == "open"
    with pytest.raises(Refused, match="NO_PLACE"):
        dead.ask_replay("x/0@1")


# --- what a letter holds -------------------------------------------------------------------------------

SAFE = "safe: [item_cd, on_hand, reserved]"


@pytest.mark.parametrize(
    ("safe", "kept"),
    [(SAFE, True), ("safe: [item_cd, on_hand]", False), ("safe: [on_hand, reserved]", False), ("", False)],
)
def test_a_letter_is_in_clear_only_if_every_column_is_declared_safe(rig: Made, safe: str, kept: bool) -> None:
    """Those that the record carries, not only those that are read; the key's too."""
    bridge = rig(
        RIGHT.replace("version: 1", f"version: 1\n{safe}").replace("item_cd, b", "item_code, b"),
        vault=vault("clear", None),
    )
    bridge.commit(A1)
    (letter,) = bridge.letters()
    assert letter.reason == "KEY_MISSING"
    assert ("clear" in letter.letter.payload) is kept


def test_what_is_no_row_is_never_kept_in_clear(rig: Made) -> None:
    """Nobody knows what is in it."""
    bridge = rig(RIGHT.replace("version: 1", f"version: 1\n{SAFE}"), vault=vault("clear", None))
    bridge.write([Outgoing(bridge.monolith.topic, b"k", value) for value in (b"secret", b'{"after": {"x": 1}}', b"[]")])
    assert [letter.letter.payload for letter in bridge.letters()] == [{}, {}, {}]


def test_a_storm_of_dead_records_reads_the_log_a_few_times(rig: Made) -> None:
    """Neighbours are read together; each letter keeps its own record."""
    bridge = rig(RIGHT.replace("version: 1", f"version: 1\n{SAFE}").replace("key: item_cd", "key: item_code").replace(
        "{item_cd}", "{item_code}"), vault=vault("clear", None))  # fmt: skip
    reads: list[int] = []
    history = bridge.process.letters._history

    def counting(topic: str, start: int, end: int) -> object:
        reads.append(start)
        return history(topic, start, end)

    bridge.process.letters._history = counting  # type: ignore[assignment]
    bridge.write(
        r for n in range(300) for r in bridge.monolith.transaction(insert("stock", item_cd=f"A{n}", on_hand=n))
    )
    letters = bridge.letters()
    assert [json.loads(each.letter.payload["clear"]["value"])["after"]["on_hand"] for each in letters] == list(
        range(300)
    )
    assert len(reads) <= 6


def test_an_encrypted_record_is_replayed_when_the_log_has_lost_it(rig: Made, tmp_path: Path) -> None:
    """The letter is all that is left of it."""
    (tmp_path / "keys").write_text(new_key())
    bridge = rig(WRONG, vault=vault("encrypted", tmp_path / "keys"))
    bridge.commit(A1)
    assert "item_cd" not in str(bridge.letters()[0].letter.payload)
    bridge.start(RIGHT)
    gone = bridge.letters()[0].letter.place.offset
    history = bridge.edge.history
    bridge.edge = replace(bridge.edge, history=lambda t, a, b: (r for r in history(t, a, b) if r.offset != gone))
    bridge.process.control._carriers["letter-replay"]._bench = replace(
        bridge.process.control._carriers["letter-replay"]._bench, edge=bridge.edge
    )
    bridge.replay(positions(bridge)[0])
    assert told(bridge) == told(never_dead(rig, RIGHT, (A1,)))


# --- a service's outbox ------------------------------------------------------------------------------


@pytest.fixture
def service(rig: Made) -> tuple[Rig, Monolith]:
    """Return a bridge whose delivery service said something that its document did not declare, and now does."""
    bridge = rig(orders("Placed: {when: appears, tell: [], fact: order.placement}"), services=[DELIVERY])
    bridge.grant("order.delivery", "delivery", Cut(TOPICS.log("legacy"), 0, 0), Cut(LOG, 0, 0))
    database = Monolith({"outbox": (("id",), ("id", "type", "aggregatetype", "aggregateid", "payload"))}, topic=LOG)
    database.schema = "delivery"
    bridge.write(database.transaction(said(1, type="OrderLost")))
    bridge.services = [DELIVERY + "  OrderLost: {fact: order.delivery, aggregate: Order}\n"]
    bridge.start()
    return bridge, database


def test_a_services_word_is_said_once_its_document_declares_it(service: tuple[Rig, Monolith]) -> None:
    """The event has the id of the outbox row's transaction, and the service's verdict."""
    bridge, _ = service
    assert [letter.reason for letter in bridge.letters()] == ["OUTBOX_UNKNOWN_TYPE"]
    bridge.replay(positions(bridge)[0])
    (body,) = [json.loads(r.value or b"") for r in bridge.records("domain")]
    assert (body["type"], body["subject"], body["source"]) == ("OrderLost", "order-1007", "delivery")
    assert body["id"] == f"delivery.1:{bridge.letters()[0].letter.commit}:OrderLost:order-1007"
    assert bridge.account().as_dict()["records"]["dead"] == 0


def test_a_services_word_is_not_said_after_a_later_one_of_the_same_aggregate(service: tuple[Rig, Monolith]) -> None:
    """Events of one aggregate leave in source commit order, or not at all."""
    bridge, database = service
    bridge.write(database.transaction(said(2, aggregateid="order-1")))
    bridge.write(database.transaction(said(3)))
    with pytest.raises(Refused, match="CHANGED_SINCE"):
        bridge.ask_replay(positions(bridge)[0])
