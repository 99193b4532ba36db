"""The state of a group, seen as one: what it holds is the union of its shares."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from figbridge.adapters.memory import MemoryLog
from figbridge.operations.shares import Together
from figbridge.ports import Commit, Entry

names = st.text("abc", min_size=1, max_size=2)
entries = st.dictionaries(st.tuples(names, names), st.binary(max_size=2), max_size=6)


def state(held):
    """Return a state that holds these entries of one space."""
    log = MemoryLog()
    session = log.session("g", [])
    session.commit(Commit((), {}, [Entry("space", group, member, value) for (group, member), value in held.items()]))
    return log.state("g")


@given(st.lists(entries, min_size=1, max_size=3), st.lists(names))
def test_shares_together_are_one_state_with_everything(shares, wanted):
    """Reading, scanning and counting give what one state with all entries gives."""
    seen: set[tuple[str, str]] = set()
    apart = []
    for share in shares:
        apart.append({k: v for k, v in share.items() if k not in seen})
        seen |= share.keys()
    together, one = Together([state(s) for s in apart]), state({k: v for s in apart for k, v in s.items()})
    assert together.read("space", wanted) == one.read("space", wanted)
    assert list(together.scan("space")) == list(one.scan("space"))
    assert together.count("space") == one.count("space")
