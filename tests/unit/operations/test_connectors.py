"""Plans, states and positions of connectors: pure functions over what was seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figbridge.domain.connector import Capture, Kind, Live, LiveTopic, Slot, Task, Topic, Wanted
from figbridge.domain.gtid import covers, gtids
from figbridge.domain.lsn import lsn_number, lsn_text
from figbridge.operations.connectors import causes
from figbridge.operations.connectors.look import Motion, _Look, _waited_for, judged
from figbridge.operations.connectors.offsets import in_snapshot, reached, told
from figbridge.operations.connectors.plan import Act, Plan, compare, differences
from figbridge.operations.connectors.snapshot import Heard, Phase, heard, missing, once_more

CONFIGS = st.dictionaries(st.sampled_from(["a", "b", "tasks.max", "database.password"]), st.text(max_size=5))


def topic(name: str, replicas: int = -1) -> Topic:
    """Return a topic that is kept by time."""
    return Topic(name, replicas, {"cleanup.policy": "delete", "retention.ms": "1"})


def capture(kind: Kind = Kind.POSTGRES) -> Capture:
    """Return a capture of one table."""
    return Capture(
        "legacy", kind, "db", 5432, "shop", "u", "${file:/a:b}", ("shop.orders",), {}, (),
        topic("figbridge.legacy.log"), topic("figbridge.legacy.signals"), topic("figbridge.legacy.notifications"),
    )  # fmt: skip


def wanted(config: dict[str, str]) -> Wanted:
    """Return a connector as the files want it."""
    return Wanted(capture(), config, "connect/legacy.yaml")


def live(config: dict[str, str], state: str = "RUNNING", *tasks: Task) -> Live:
    """Return a connector as Connect has it."""
    return Live("figbridge-legacy", state, "w", config, tasks or (Task(0, "RUNNING", "w"),))


def planned(want: dict[str, str], have: Live | None, there: dict[str, LiveTopic] | None = None) -> Plan:
    """Return the plan for one connector and its log."""
    found = {have.name: have} if have else {}
    return compare((wanted(want),), found, [capture().log], there or {}, "figbridge")


def there(partitions: int = 1, **settings: str) -> dict[str, LiveTopic]:
    """Return the log as the broker has it."""
    kept = {"cleanup.policy": "delete", "retention.ms": "1", **{k.replace("_", "."): v for k, v in settings.items()}}
    return {"figbridge.legacy.log": LiveTopic("figbridge.legacy.log", partitions, 1, kept)}


# --- plan


@given(CONFIGS, CONFIGS)
def test_applying_the_differences_gives_what_is_wanted(old: dict[str, str], new: dict[str, str]) -> None:
    """A diff is complete: over the old it gives the new, and of equal ones there is none."""
    changes = {c.setting for c in differences(old, new)}
    assert {**{k: v for k, v in old.items() if k not in changes}, **{k: new[k] for k in changes if k in new}} == new
    assert differences(new, new) == ()


@given(CONFIGS)
def test_what_is_as_wanted_is_kept(config: dict[str, str]) -> None:
    """Applying twice does nothing: the second plan has no change."""
    made = planned(config, live(config), there())
    assert (made.changes, [c.act for c in made.connectors]) == ((), [Act.KEEP])


@given(CONFIGS, CONFIGS, CONFIGS)
def test_the_digest_moves_with_the_files_and_with_what_is_live(
    want: dict[str, str], have: dict[str, str], other: dict[str, str]
) -> None:
    """A digest stands for one state of both, so a stale plan is recognised."""
    base = planned(want, live(have)).digest
    assert (planned(want, live(other)).digest == base) == (other == have)
    assert (planned(other, live(have)).digest == base) == (other == want)


def test_the_digest_does_not_move_with_what_passes_by_itself() -> None:
    """A task that fails or moves to another worker makes no plan stale; somebody who pauses or stops does."""
    base = planned({}, live({})).digest
    assert planned({}, live({}, "RUNNING", Task(0, "FAILED", "other"))).digest == base
    assert planned({}, live({}, "UNASSIGNED")).digest == base
    assert planned({}, live({}, "PAUSED")).digest != base
    assert planned({}, None).digest != base
    assert planned({}, live({}), there()).digest != base
    assert planned({}, live({}), there(retention_ms="2")).digest != planned({}, live({}), there()).digest


def test_a_secret_that_is_written_out_is_never_in_a_plan() -> None:
    """Neither of the files nor of what is live."""
    (change,) = planned({"database.password": "${file:/a:b}"}, live({"database.password": "hunter2"})).connectors
    assert [(s.old, s.new) for s in change.settings] == [("(hidden)", "${file:/a:b}")]
    assert "hunter2" not in repr(planned({}, live({"database.password": "hunter2"})))


def test_a_connector_that_no_file_wants_is_shown_and_left() -> None:
    """Only what has our prefix; another team's connectors are nobody's business here."""
    strangers = {name: Live(name, "RUNNING", "w", {}) for name in ("figbridge-old", "billing")}
    made = compare((wanted({}),), strangers, [], {}, "figbridge")
    assert [(c.name, c.act) for c in made.connectors][1:] == [("figbridge-old", Act.FOREIGN)]
    assert [c.name for c in made.changes] == ["figbridge-legacy"]


@pytest.mark.parametrize(
    ("have", "act"),
    [
        ({}, Act.CREATE),
        (there(), Act.KEEP),
        (there(cleanup_policy="compact"), Act.CHANGE),
        (there(retention_ms="7"), Act.CHANGE),
        (there(segment_bytes="9"), Act.KEEP),
        (there(partitions=4), Act.CONFLICT),
    ],
)
def test_the_log_has_one_partition_and_is_kept_by_time(have: dict[str, LiveTopic], act: Act) -> None:
    """Compaction and retention are mended; a second partition cannot be, and is refused."""
    assert planned({}, live({}), have).topics[0].act is act


# --- what a connector does

RUNNING = live({})
READ = Slot("figbridge_legacy", active=True, confirmed=1, behind_bytes=9)
IDLE = Slot("figbridge_legacy", active=False, confirmed=1, behind_bytes=9)
TRACE = live({}, "RUNNING", Task(0, "FAILED", "w", "the slot is gone", "trace"))
SNAPSHOT = {"snapshot": "INITIAL", "snapshot_completed": False, "lsn": 5}


@pytest.mark.parametrize(
    ("look", "moved", "motion"),
    [
        (_Look(None), False, Motion.MISSING),
        (_Look(TRACE), True, Motion.FAILED),
        (_Look(live({}, "FAILED")), True, Motion.FAILED),
        (_Look(live({}, "PAUSED")), True, Motion.PAUSED),
        (_Look(Live("x", "STOPPED", "w", {})), False, Motion.STOPPED),
        (_Look(Live("x", "RUNNING", "w", {})), False, Motion.STARTING),
        (_Look(live({}, "RUNNING", Task(0, "UNASSIGNED", ""))), False, Motion.STARTING),
        (_Look(RUNNING, {"lsn": 5}, READ, slot_known=True), True, Motion.STREAMING),
        (_Look(RUNNING, {"lsn": 5}, READ, slot_known=True), False, Motion.STALLED),
        (_Look(RUNNING, {"lsn": 5}, IDLE, slot_known=True), True, Motion.STALLED),
        (_Look(RUNNING, None, IDLE, slot_known=True), False, Motion.STARTING),
        (_Look(RUNNING, None, None, slot_known=True), False, Motion.STARTING),
        (_Look(RUNNING, SNAPSHOT, IDLE, slot_known=True), True, Motion.SNAPSHOT),
        (_Look(RUNNING, SNAPSHOT, IDLE, slot_known=True), False, Motion.STALLED),
        (_Look(RUNNING, {"lsn": 5}), True, Motion.STREAMING),
        (_Look(RUNNING, {"lsn": 5}), False, Motion.STALLED),
    ],
)
def test_running_is_not_believed(look: _Look, moved: bool, motion: Motion) -> None:
    """Streaming is the slot being read and the log moving; anything less has another name."""
    found = judged(capture(), look, moved=moved)
    assert (found.motion, bool(found.why)) == (motion, True)


def test_an_idle_mariadb_is_judged_by_what_it_has_read() -> None:
    """It says that it is alive every 48 s only. Behind the database and not moving, it is stalled."""
    offset = {"gtids": "0-1-28", "transaction_id": "0-1-29", "file": "f", "pos": 4}
    for position, motion in (("0-1-29", Motion.IDLE), ("0-1-30", Motion.STALLED), ("", Motion.STALLED)):
        look = _Look(RUNNING, offset, position=position)
        assert judged(capture(Kind.MARIADB), look, moved=False).motion is motion
        assert judged(capture(Kind.MARIADB), look, moved=True).motion is Motion.STREAMING


@pytest.mark.parametrize(
    ("look", "waited"),
    [
        (_Look(RUNNING, {"gtids": "0-1-28", "transaction_id": "0-1-29"}, position="0-1-29"), False),
        (_Look(RUNNING, {"gtids": "0-1-28", "transaction_id": "0-1-29"}, position="0-1-30"), True),
        (_Look(RUNNING, {"gtids": "0-1-29", "snapshot": "INITIAL"}, position="0-1-29"), True),
        (_Look(Live("x", "RUNNING", "w", {}), {"gtids": "0-1-29"}, position="0-1-29"), True),
        (_Look(RUNNING, {"lsn": 5}, READ, slot_known=True), True),
        (_Look(live({}, "PAUSED"), {"lsn": 5}, READ, slot_known=True), False),
        (_Look(TRACE), False),
        (_Look(None), False),
    ],
)
def test_only_what_may_have_more_to_read_is_waited_for(look: _Look, waited: bool) -> None:
    """A heartbeat tells nothing new of an idle MariaDB; one whose tasks do not run yet is not idle."""
    assert _waited_for(look) is waited


def test_a_failure_says_why_and_what_to_do_first() -> None:
    """The innermost reason, and the next step; the trace is kept for whoever wants it."""
    found = judged(
        capture(),
        _Look(live({}, "RUNNING", Task(0, "FAILED", "w", "x is no longer available on the server", "T"))),
        moved=False,
    )
    assert found.why.startswith("x is no longer available on the server")
    assert "offsets reset" in found.why
    assert found.trace == "T"


def test_a_long_reason_is_cut_in_its_middle() -> None:
    """Debezium prints its whole state between two useful ends."""
    assert causes.short("a" * 500 + "z" * 500).startswith("a")
    assert causes.short("a" * 500 + "z" * 500).endswith("z")
    assert len(causes.short("x" * 5000)) < 400
    assert causes.short("short") == "short"


# --- positions


@given(st.integers(0, 2**64 - 1))
def test_an_lsn_survives_being_written(lsn: int) -> None:
    """What a person copies is the number it was."""
    assert lsn_number(lsn_text(lsn)) == lsn


@pytest.mark.parametrize("text", ["", "abc", "0/", "0/G", "12", "0/123456789", "-1/0", " 0/1"])
def test_nonsense_is_no_lsn(text: str) -> None:
    """Connect would accept it."""
    assert lsn_number(text) is None


SETS = st.dictionaries(st.integers(0, 9), st.integers(1, 50), max_size=4)


@given(SETS, SETS)
def test_a_set_of_gtids_covers_what_is_not_newer_in_any_domain(one: dict[int, int], other: dict[int, int]) -> None:
    """By domain, whatever the server; a domain that is missing covers nothing."""

    def text(found: dict[int, int], server: int) -> str:
        return ",".join(f"{d}-{server}-{n}" for d, n in found.items())

    assert covers(text(one, 1), text(other, 2)) == all(one.get(d, -1) >= n for d, n in other.items())
    assert covers(text(one, 1), text(one, 3))


@pytest.mark.parametrize("text", ["x", "1-2", "0-1-2,", "0-1-2 ,0-1-3", "a-b-c"])
def test_nonsense_is_no_set_of_gtids(text: str) -> None:
    """It covers nothing and is covered by nothing."""
    assert gtids(text) is None
    assert not covers(text, "0-1-1")
    assert not covers("0-1-1", text)


def words(kind: Kind, offset: dict[str, Any] | None) -> tuple[str, str]:
    """Return the position and the words for an offset."""
    found = told(capture(kind), offset)
    return found.position, "; ".join(found.words)


def test_offsets_of_postgres_are_told_in_words() -> None:
    """As they were seen on 3.7.0: after a snapshot, after a transaction, inside one."""
    assert words(Kind.POSTGRES, None) == ("", "it has not begun: its next start makes a snapshot")
    assert words(Kind.POSTGRES, {"lsn": 40263128, "txId": 774, "ts_usec": 1}) == (
        "0/2665DD8", "the first snapshot, made at 0/2665DD8, was sent",
    )  # fmt: skip
    commit = {"lsn_proc": 40230688, "messageType": "COMMIT", "lsn_commit": 40230688, "lsn": 40230688, "txId": 770}
    assert words(Kind.POSTGRES, commit) == (
        "0/265DF20", "every transaction that committed before 0/265DF20 was sent",
    )  # fmt: skip
    inside = {**commit, "messageType": "INSERT", "lsn": 40230700, "txId": 771}
    assert words(Kind.POSTGRES, inside)[1].endswith("it stands inside transaction 771, at 0/265DF2C")
    assert "first snapshot" in words(Kind.POSTGRES, SNAPSHOT)[1]


def test_offsets_of_mariadb_are_told_in_words() -> None:
    """`gtids` is the set before the transaction that was begun last."""
    offset = {"transaction_id": "0-7-688", "file": "binlog.000001", "pos": 5, "gtids": "0-7-687,9-77-2", "row": 3}
    assert words(Kind.MARIADB, offset) == (
        "0-7-687,9-77-2",
        (
            "every transaction up to 0-7-687,9-77-2 was sent; the last that it began is 0-7-688; "
            "it reads binlog.000001 at 5, row 3"
        ),
    )
    assert reached(offset, "0-7-688,9-77-2")
    assert not reached(offset, "0-7-689")
    assert not reached({}, "0-1-1")


def test_an_incremental_snapshot_is_told() -> None:
    """Debezium keeps it in the offset while it goes on."""
    kept = json.dumps([{"incremental_snapshot_collections_id": "shop.stock"}])
    assert (
        "snapshot is under way: shop.stock"
        in words(Kind.POSTGRES, {"lsn": 1, "incremental_snapshot_collections": kept})[1]
    )


def test_a_snapshot_is_over_when_its_last_record_was_sent() -> None:
    """Connect gives truth as a word or as true."""
    assert in_snapshot({"snapshot": "INITIAL"})
    for done in (True, "true"):
        assert not in_snapshot({"snapshot": "INITIAL", "snapshot_completed": done})
    assert not in_snapshot({})
    assert not in_snapshot(None)


# --- incremental snapshots


def said(kind: str, id_: str = "ours", **more: str) -> bytes:
    """Return a notification of Debezium."""
    return json.dumps(
        {"id": id_, "type": kind, "aggregate_type": "Incremental Snapshot", "additional_data": more}
    ).encode()


@pytest.mark.parametrize(
    ("notes", "phase"),
    [
        ([], Phase.ASKED),
        ([said("STARTED")], Phase.READING),
        ([said("STARTED", "another")], Phase.ASKED),
        ([said("STARTED"), said("TABLE_SCAN_COMPLETED", status="SUCCEEDED"), said("COMPLETED")], Phase.DONE),
        ([said("STARTED"), said("TABLE_SCAN_COMPLETED", status="EMPTY"), said("COMPLETED")], Phase.DONE),
        ([said("TABLE_SCAN_COMPLETED", status="NO_PRIMARY_KEY"), said("COMPLETED")], Phase.FAILED),
        # As it was seen on 3.7.0: somebody stopped it, and it says COMPLETED.
        ([said("STARTED"), said("IN_PROGRESS"), said("COMPLETED"), said("ABORTED", "another")], Phase.STOPPED),
    ],
)
def test_a_stopped_snapshot_is_not_taken_for_a_complete_one(notes: list[bytes], phase: Phase) -> None:
    """COMPLETED alone proves nothing; the scan of the table must have been told to be over."""
    known = Heard()
    for value in notes:
        known = heard(known, value, "ours")
    assert known.phase is phase


def test_a_snapshot_that_two_threads_spoiled_is_asked_for_again() -> None:
    """SQL_EXCEPTION is how that ends; anything else would end the same way again."""
    assert [once_more("SQL_EXCEPTION", attempt) for attempt in (1, 2, 3)] == [True, True, False]
    assert not once_more("NO_PRIMARY_KEY", 1)


def test_the_rows_that_debezium_counted_are_taken() -> None:
    """Newer versions count; of older ones nobody knows."""
    assert heard(Heard(), said("IN_PROGRESS", total_rows="3000"), "ours").counted == 3000
    assert heard(Heard(counted=5), said("IN_PROGRESS"), "ours").counted == 5
    assert heard(Heard(), said("IN_PROGRESS"), "ours").counted is None


@pytest.mark.parametrize(
    ("counted", "read", "rows", "changes", "lost"),
    [
        ("3000", "3000", 3000, 0, 0),
        ("3000", "3000", 2900, 0, 100),  # never came
        ("3000", "3000", 2900, 100, 0),  # changed meanwhile: the change comes instead
        ("3000", "3000", 2900, 250, 0),  # nobody knows which: not told as lost
        ("1", "2", 1, 0, 0),  # two threads read the same piece (seen on 3.7.0)
        ("", "3000", 2900, 0, 100),
        ("", "", 0, 0, 0),
    ],
)
def test_a_snapshot_whose_rows_did_not_come_is_not_complete(
    counted: str, read: str, rows: int, changes: int, lost: int
) -> None:
    """Debezium says what it has read; what came is counted in the log."""
    known = heard(Heard(), said("IN_PROGRESS", total_rows=counted), "ours")
    known = heard(known, said("TABLE_SCAN_COMPLETED", status="SUCCEEDED", total_rows_scanned=read), "ours")
    assert missing(known, rows, changes) == lost
