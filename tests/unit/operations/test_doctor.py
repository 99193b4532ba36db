"""Checks over made-up answers: what is wrong is wrong, and what is not known is never fine."""

from __future__ import annotations

import doctest
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from figbridge.domain.connector import Kind
from figbridge.domain.preflight import Facts, Patient
from figbridge.errors import Refused
from figbridge.mapping.compiler import compile_plan
from figbridge.mapping.loader import load_mappings, load_tables
from figbridge.operations.doctor import scene as scenes
from figbridge.operations.doctor.catalogue import CATALOGUE
from figbridge.operations.doctor.check import State, applies, examined
from figbridge.operations.doctor.examine import Clinic, examine
from figbridge.operations.doctor.scene import Limits, Scene

FOLDER = Path(__file__).parents[3] / "mappings"
DOCUMENTS = load_mappings(FOLDER)
PLAN = compile_plan(DOCUMENTS.mappings, DOCUMENTS.services)
TABLES = tuple(t for t in PLAN.snapshot_order() if PLAN.tables[t].service is None)


def patient(kind: Kind) -> Patient:
    """Return the shop as a patient."""
    columns = {t: PLAN.tables[t].shape.columns for t in TABLES}
    return Patient("legacy", kind, TABLES, columns, (), "slot", "publication", "figbridge.legacy.log")


def scene(kind: Kind, **answers: Any) -> Scene:
    """Return a scene with these answers and no other."""
    facts = Facts({name: tuple(rows) for name, rows in answers.items()}, why="nobody knows")
    return Scene(patient(kind), facts, PLAN, load_tables(FOLDER, kind.value), Limits(), connected=True)


def look(code: str, made: Scene) -> list[tuple[State, str, str]]:
    """Make one check; return state, about and what was found."""
    check = next(c for c in CATALOGUE if c.code == code)
    return [(r.state, r.about, r.found) for r in examined(check, made)]


def named(**values: str) -> list[dict[str, str]]:
    """Return an answer of names and values."""
    return [{"name": n, "value": v} for n, v in values.items()]


@pytest.mark.parametrize("kind", Kind)
def test_no_check_is_fine_when_nothing_is_known(kind: Kind) -> None:
    """Whoever adds a check that is green without having asked learns it here."""
    made = scene(kind)
    ended = {c.code: {r.state for r in examined(c, made)} for c in CATALOGUE if applies(c, made)}
    assert {code: states for code, states in ended.items() if not states <= {State.UNKNOWN, State.NOT_ASKED}} == {}


def test_checks_of_connect_do_not_apply_to_the_embedded_engine() -> None:
    """It has no connector and no brokers."""
    made = replace(scene(Kind.POSTGRES), connected=False)
    assert not any(applies(c, made) for c in CATALOGUE if c.connect)
    assert not any(applies(c, scene(Kind.MARIADB)) for c in CATALOGUE if Kind.MARIADB not in c.kinds)


MARIADB: tuple[tuple[str, str, str, State], ...] = (
    ("PRE030", "log_bin", "OFF", State.WRONG),
    ("PRE031", "binlog_format", "MIXED", State.WRONG),
    ("PRE031", "binlog_format", "ROW", State.OK),
    ("PRE032", "binlog_row_image", "MINIMAL", State.WRONG),
    ("PRE033", "binlog_row_value_options", "PARTIAL_JSON", State.WRONG),
    ("PRE033", "some_other_variable", "x", State.OK),
    ("PRE034", "gtid_strict_mode", "OFF", State.WRONG),
    ("PRE036", "log_bin_compress", "ON", State.WRONG),
    ("PRE025", "binlog_expire_logs_seconds", "86399", State.WRONG),
    ("PRE025", "binlog_expire_logs_seconds", "0", State.OK),
)


@pytest.mark.parametrize(("code", "name", "value", "state"), MARIADB)
def test_a_variable_is_judged_by_its_value(code: str, name: str, value: str, state: State) -> None:
    """A variable that this version does not have is fine only where the check says so."""
    assert [s for s, _, _ in look(code, scene(Kind.MARIADB, variables=named(**{name: value})))] == [state]


@pytest.mark.parametrize(
    ("version", "value", "states"),
    [
        ("11.4.5-MariaDB-log", "0", [State.WRONG]),
        ("11.4.5-MariaDB-log", "1", [State.OK]),
        ("10.11.6-MariaDB", None, [State.OK]),
        ("something", "1", [State.UNKNOWN]),
    ],
)
def test_the_place_of_events_matters_from_11_4_on(version: str, value: str | None, states: list[State]) -> None:
    """Older servers have no such variable and need none."""
    more = {"binlog_legacy_event_pos": value} if value is not None else {}
    assert [s for s, _, _ in look("PRE035", scene(Kind.MARIADB, variables=named(version=version, **more)))] == states


DEFINITION = """CREATE TABLE `order_lines` (
  `order_id` int(11) NOT NULL,
  PRIMARY KEY (`order_id`),
  CONSTRAINT `ours` FOREIGN KEY (`order_id`) REFERENCES `orders` (`order_id`){rules},
  CONSTRAINT `b` FOREIGN KEY (`x`) REFERENCES `other`.`t` (`y`)
) ENGINE=InnoDB"""


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("", ""),
        (" ON DELETE NO ACTION ON UPDATE NO ACTION", ""),
        (" ON DELETE CASCADE", "order_id → orders on delete cascade"),
        (" ON DELETE SET NULL ON UPDATE CASCADE", "order_id → orders on delete set null, on update cascade"),
    ],
)
def test_foreign_keys_that_change_rows_are_read_from_the_definition(rules: str, told: str) -> None:
    """RESTRICT and NO ACTION change nothing; the rest is named with its columns and parent."""
    text = DEFINITION.replace("{rules}", rules)
    made = scene(Kind.MARIADB, definitions=[{"table": "shop.order_lines", "text": text, "why": ""}])
    wanted = [(State.WRONG, "shop.order_lines", told)] if told else [(State.OK, "", "there is none")]
    assert look("PRE038", made) == wanted


def test_a_definition_that_may_not_be_read_is_unknown() -> None:
    """Foreign keys that are hidden are not absent."""
    made = scene(Kind.MARIADB, definitions=[{"table": "shop.orders", "text": None, "why": "denied"}])
    ((state, _, found),) = look("PRE038", made)
    assert (state, found) == (
        State.UNKNOWN,
        "could not be checked: the definition of shop.orders cannot be read: denied",
    )


@pytest.mark.parametrize(
    ("code", "kind", "more", "states"),
    [
        ("PRE041", "datetime(6)", {"nullable": False}, [State.WRONG]),
        ("PRE041", "datetime(6)", {"nullable": True}, [State.OK]),
        ("PRE041", "timestamp", {"nullable": True}, [State.WRONG]),
        ("PRE042", "timestamp", {}, [State.WRONG]),
        ("PRE043", "bigint(20) unsigned", {"counted": False}, [State.WRONG]),
        ("PRE043", "bigint(20) unsigned", {"counted": True}, [State.OK]),
        ("PRE043", "int(10) unsigned", {"counted": False}, [State.OK]),
        ("PRE044", "inet6", {}, [State.WRONG]),
    ],
)
def test_a_column_is_judged_by_its_type(code: str, kind: str, more: dict[str, Any], states: list[State]) -> None:
    """Only where the type cannot carry what the server may hold."""
    column = {"table": "shop.orders", "column": "crt_dt", "type": kind, "nullable": False, "counted": False, **more}
    variables = named(sql_mode="STRICT_TRANS_TABLES", time_zone="SYSTEM", system_time_zone="CET")
    made = scene(Kind.MARIADB, tables=[{"table": "shop.orders"}], columns=[column], variables=variables)
    assert [s for s, _, _ in look(code, made)] == states


def test_a_code_that_no_check_has_cannot_be_accepted() -> None:
    """A misspelt code would accept nothing, silently."""
    clinic = Clinic((patient(Kind.POSTGRES),), PLAN, {})
    with pytest.raises(Refused, match="no check has the code PRE999"):
        examine(clinic, Limits(), lambda _: None, accepted=["PRE999"])
    report = examine(clinic, Limits(), lambda _: None, accepted=["PRE001"])
    assert next(r.state for r in report.results if r.code == "PRE001") is State.ACCEPTED
    assert all(r.fix for r in report.findings)


def test_the_examples_in_docstrings_hold() -> None:
    """Doctests of the pure parts."""
    assert doctest.testmod(scenes).failed == 0
