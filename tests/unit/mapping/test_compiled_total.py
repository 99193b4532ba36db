"""Translating is total: whatever the cells hold and whatever order the rows come in, it says, parks or says nothing."""

from __future__ import annotations

import string
from contextlib import suppress
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from figbridge.adapters import cloudevents
from figbridge.adapters.memory import MemoryLog
from figbridge.domain.authority import Authority
from figbridge.domain.change import UNAVAILABLE, Op, Position, RowChange
from figbridge.domain.verdict import decide
from figbridge.pipeline.account import Account
from figbridge.pipeline.collect import Transaction
from figbridge.pipeline.memory import RowMemory
from figbridge.pipeline.parking import ParkingLot
from figbridge.pipeline.perform import Performer, Said, Topics
from figbridge.pipeline.translate import Translator
from figbridge.ports import Commit
from support.mappings import orders, stock
from support.rig import plan_of

KEYS = st.integers(1, 3)
READERS = """\
  a1: {text: notes}
  a2: {decimal: tot_amt}
  a3: {bool: notes, of: {Y: true, N: false}}
  a4: {instant: notes, zone: Europe/Berlin}
  a5: {date: notes}
  a6: {time: notes}
  a7: {json: notes}
  a8: {uuid: notes}
  a9: {address: notes, lines: [street, postcode city]}
  b1: {join: [notes, cust_id]}
  b2: {money: tot_amt, currency: {column: notes}}
  b3: {money: tot_amt, currency: EUR, minor: 2}
  b4: {int: cust_id}
  b5: {code: notes, of: {A: a}, otherwise: raw}
  b6: {lookup: carrier, from: notes}
"""
EXTRA = ("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3", "b4", "b5", "b6")


@cache
def every_reader(before: str, unsure: str, only: str) -> str:
    """Return a mapping with one more attribute, of any kind of reader, that is judged and told on both sides."""
    line = next(each for each in READERS.splitlines() if f"{only}:" in each)
    text = orders(
        f"""
        Came: {{when: appears, tell: [status, total, shipTo, carrier, lines, {only}], fact: order.placement}}
        Went: {{when: disappears, tell: {{was: was.lines, x: was.{only}}}, fact: order.placement}}
        Moved: {{when: rekeyed, tell: [{only}], fact: order.status}}
        Changed: {{when: {only} changes or {only} rises or lines changes or shipTo changes,
                  tell: {{x: {only}, was: was.{only}, by: change.{only}, lines: lines}}, fact: order.placement}}
        Stated: {{when: status any -> confirmed and not {only} is null, tell: [carrier], fact: order.status}}
        Booked: {{for: payments, when: appears or method changes, tell: [method, status], fact: order.payment}}
        Debited: {{for: payments.moves, when: kind any -> debited or status changes,
                  tell: {{m: method, by: change.amount}}, fact: order.payment}}
        """,
        "silent: [payments changes]\nnever: [status cancelled -> any]\nsnapshot: Known",
        head=f"unsure: {unsure}",
        before=before,
    )
    return text.replace("  notes: {text: notes}\n", f"{line}\n").replace(
        "  order.notes: [notes]", f"  order.notes: [{only}]"
    )


CELLS = st.one_of(
    st.none(),
    st.just(UNAVAILABLE),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["P", "C", "X", "A", "D", "NaN", "Infinity", "1e999", "1.50", "9" * 5000, "[" * 5000, "٣", "\x00"]),
    st.sampled_from([1, 2, 3, "1", 2**63, 10**400, -1, 0, 1.5]),
    st.text(max_size=8),
    st.recursive(
        st.none() | st.text(string.ascii_letters, max_size=3),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
        max_leaves=4,
    ),
)
OPS = st.sampled_from(["c", "u", "d", "r", "moved"])


def rows_of(plan):
    """Return a strategy of any rows of a plan's tables in any order: no database could have written most of them."""

    def row(table, op, key, other, before, after, has_before):
        shape = plan.tables[table].shape
        keys = dict(zip(shape.key, key * 2, strict=False))
        moved = tuple(dict(zip(shape.key, other * 2, strict=False)).values())

        def image(cells, own):
            values = dict(zip((c for c in shape.columns if c not in shape.key), cells, strict=False))
            return shape.row({**values, **dict(zip(shape.key, own, strict=True))})

        own = tuple(keys.values())
        found = []
        if op == "moved":
            found.append((Op.DELETE, image(before, own) if has_before else image([], own), None, moved))
            found.append((Op.CREATE, None, image(after, moved), own))
        elif op == "d":
            found.append((Op.DELETE, image(before, own), None, None))
        else:
            found.append((Op(op), image(before, own) if has_before and op == "u" else None, image(after, own), None))
        return [(shape, *each) for each in found]

    many = st.lists(CELLS, min_size=8, max_size=8)
    keys = st.tuples(KEYS)
    return st.builds(row, st.sampled_from(sorted(plan.tables)), OPS, keys, keys, many, many, st.booleans())


@st.composite
def cases(draw):
    """Draw a plan and transactions of any rows."""
    before, unsure = draw(st.sampled_from(["required", "last-known"])), draw(st.sampled_from(["park", "skip"]))
    text = every_reader(before, unsure, draw(st.sampled_from(EXTRA)))
    other = stock("Rose: {when: onHand rises, tell: {by: change.onHand}, fact: stock.level}", head="judge: each")
    plan = plan_of((text, other))
    return plan, draw(st.lists(st.lists(rows_of(plan), min_size=1, max_size=4), min_size=1, max_size=4))


@settings(deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
@given(cases())
def test_translating_never_raises_and_both_ledgers_balance(case):
    """Any rows translate; each is counted once, and what is said, remembered and parked can be written and read."""
    plan, transactions = case
    log = MemoryLog()
    log.create("t")
    session = log.session("g", ["t"])
    account, offset = Account(), 0
    for number, drawn in enumerate(transactions, start=1):
        memory, parking = RowMemory(plan, session.state), ParkingLot(plan, session.state)
        translator = Translator(plan, memory, parking, "legacy")
        rows = []
        for shape, op, before, after, moved in (each for several in drawn for each in several):
            offset += 1
            place = Position("t", 0, offset)
            rows.append(RowChange(shape, op, before, after, place, "1", "run", moved))
        read = [[r] for r in rows if r.op == Op.READ] or []
        streamed = [r for r in rows if r.op != Op.READ]
        for part in (streamed, *read):
            tx = Transaction("1", str(number), offset, Position("t", 0, offset), part, snapshot=part in read)
            said = translator.translate(tx)
            assert len(said.rows) == len(part)
            account.records["read"] += len(part)
            account.take(tx, said.rows)
            decisions = [decide(claim, tx.position, Authority()) for claim in said.claims]
            performed = Performer(cloudevents.encode, Topics()).perform(Said(said.origin, said.claims), decisions)
            for done in performed:
                account.claims[done.decision.verdict] += 1
            account.claims["made"] += len(said.claims)
            assert not any(b"unavailable" in (p.record.value or b"") for p in performed if p.record)
            session.commit(Commit([], {}, [*memory.entries(), *parking.entries()]))
            memory.committed()
            parking.committed()
    assert account.unbalanced() == ""
    for group, _, _ in session.state.scan("parked"):
        for _, waiting in ParkingLot(plan, session.state).waiting(group):
            with suppress(KeyError):
                ParkingLot(plan, session.state).thaw(waiting)
