"""Whatever is lost, wherever: after a check the topics know what the tables hold, and keys beyond that are named."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from figbridge.operations.holes.look import list_holes
from support.lossy import Rows, checked, lose
from support.mappings import stock
from support.monolith import Step, delete, insert, update
from support.rig import GROUP, Rig

EVENTS = """Counted: {when: appears, tell: [onHand], fact: stock.level}
  Changed: {when: onHand changes, tell: [onHand], fact: stock.level}
  Gone: {when: disappears, tell: [], fact: stock.level}"""
STOCK = stock(EVENTS, "silent: [reserved changes]\nsnapshot: StockKnown")

act = st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3))
acts = st.lists(st.lists(act, min_size=1, max_size=4), min_size=1, max_size=6)
"""Transactions of (article, whether to delete it if it is there, and whether its record is lost: 0)."""


def steps_of(bridge: Rig, transaction: list[tuple[int, bool, int]], number: int) -> tuple[list[Step], list[int]]:
    """Return the steps of a transaction, each article once, and the indexes of the records that are lost."""
    steps: list[Step] = []
    lost: list[int] = []
    for article, gone, luck in {a: (a, g, luck) for a, g, luck in transaction}.values():
        there = ("stock", (f"A{article}",)) in bridge.monolith.rows
        if luck == 0:
            lost.append(len(steps))
        if there and gone:
            steps.append(delete("stock", item_cd=f"A{article}"))
        elif there:
            steps.append(update("stock", {"item_cd": f"A{article}"}, on_hand=number))
        else:
            steps.append(insert("stock", item_cd=f"A{article}", on_hand=number, reserved=0))
    return steps, lost


@settings(max_examples=150)
@given(acts)
def test_nothing_stays_lost_and_nothing_is_invented(transactions: list[list[tuple[int, bool, int]]]) -> None:
    """Every row of the table is known by its newest state; what is known beyond it is named as only in the log."""
    bridge = Rig(STOCK)
    for number, transaction in enumerate(transactions, 1):
        steps, lost = steps_of(bridge, transaction, number)
        lose(bridge, *steps, lost=lost, announced=len(steps))
    found = [each for each in checked(bridge, Rows(bridge)) if each.method]
    known: dict[str, int] = {}
    for said in bridge.events():
        known.pop(said.subject, None)
        if said.type != "Gone":
            known[said.subject] = said.data["onHand"]
    table = {f"stock-{key[0]}": row["on_hand"] for (_, key), row in bridge.monolith.rows.items()}
    if found:
        named = {f"stock-{row.key[0]}" for row in found[-1].gone}
        assert {s: n for s, n in known.items() if s not in named} == table
        assert named.isdisjoint(table)
    else:
        assert known == table
    assert {hole.state for hole in list_holes(bridge.log, GROUP)} <= {"case"}
    bridge.check()
