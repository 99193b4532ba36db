"""doctor on a real PostgreSQL, as the embedded mode has it: the database, its slot, the mappings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from figbridge import bootstrap
from figbridge.adapters.connect.postgres import PostgresDatabase
from figbridge.adapters.preflight.postgres import PostgresPreflight
from figbridge.cli.exits import Exit
from figbridge.cli.main import run
from figbridge.demo.stage import stage
from figbridge.errors import Refused
from figbridge.mapping.compiler import compile_plan
from figbridge.mapping.loader import load_mappings
from figbridge.operations.doctor.check import State
from figbridge.operations.doctor.examine import examine
from figbridge.operations.doctor.scene import Limits

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).parents[2]
DOCUMENTS = load_mappings(ROOT / "mappings")
PLAN = compile_plan(DOCUMENTS.mappings, DOCUMENTS.services)
TABLES = tuple(t for t in PLAN.snapshot_order() if PLAN.tables[t].service is None)


class Patient:
    """A shop's database with a publication and a slot as the embedded engine makes them, and `figbridge doctor`."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.folder, self.capsys = url, folder, capsys
        at = urlsplit(url)
        self.account = {
            "host": at.hostname, "port": at.port, "user": at.username, "password": unquote(at.password or ""),
            "database": at.path.lstrip("/"),
        }  # fmt: skip
        self.sql((ROOT / "src/figbridge/demo/monolith/schema.sql").read_text(encoding="utf-8"))
        self.sql(f"CREATE PUBLICATION figbridge_legacy FOR TABLE {', '.join(TABLES)}")

    def sql(self, *statements: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    def examined(self, *words: str, **account: Any) -> tuple[Exit, dict[str, dict[str, Any]]]:
        """Return the exit code, and code → about → result."""
        settings = {
            "mappings": str(ROOT / "mappings"), "data": str(self.folder / "data"),
            "sources": {"legacy": self.account | account},
        }  # fmt: skip
        (self.folder / "figbridge.yaml").write_text(json.dumps(settings), encoding="utf-8")
        code = run(["doctor", "--settings", str(self.folder / "figbridge.yaml"), "-o", "json", *words])
        told: dict[str, dict[str, Any]] = {}
        for result in json.loads(self.capsys.readouterr().out)["results"]:
            told.setdefault(result["code"], {})[result["about"]] = result
        return code, told


@pytest.fixture
def patient(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Patient:
    """Give a database with nothing wrong in it but that nobody reads it yet."""
    return Patient(database, tmp_path, capsys)


def findings(told: dict[str, dict[str, Any]]) -> set[tuple[str, str]]:
    """Return (code, about) of what is wrong or unknown."""
    return {(c, a) for c, by in told.items() for a, r in by.items() if r["state"] in ("wrong", "unknown")}


NOBODY_READS = {
    ("PRE020", "figbridge_legacy"), ("PRE021", ""), ("PRE022", ""), ("PRE023", ""),
    ("PRE070", "figbridge.legacy.log"), ("PRE071", ""),
}  # fmt: skip


def test_a_database_that_nobody_reads_yet_has_only_that_against_it(patient: Patient) -> None:
    """Without a slot and a log, what depends on them is unknown and never green; everything else is fine."""
    code, told = patient.examined()
    assert code is Exit.FINDINGS
    assert findings(told) == NOBODY_READS
    assert {r["state"] for r in told["PRE086"].values()} == {"not asked"}
    code, told = patient.examined("--scan")
    assert findings(told) == NOBODY_READS
    assert told["PRE086"]["shop.orders.stat"]["state"] == "ok"


PUBLISH = "ALTER PUBLICATION figbridge_legacy"
NEW_CARRIERS = f"{PUBLISH} DROP TABLE shop.carriers; {PUBLISH} ADD TABLE shop.carriers"
WHOLE = "ALTER TABLE shop.{} REPLICA IDENTITY FULL;"
ILLS: tuple[tuple[str, str, str, str], ...] = (
    (f"{PUBLISH} DROP TABLE shop.stock", "PRE005", "shop.stock", f"{PUBLISH} ADD TABLE shop.stock;"),
    (f"{PUBLISH} SET (publish = 'insert')", "PRE006", "figbridge_legacy",
     f"{PUBLISH} SET (publish = 'insert, update, delete, truncate');"),
    (f"{NEW_CARRIERS} (carrier_id)", "PRE007", "shop.carriers", f"{NEW_CARRIERS};"),
    (f"{NEW_CARRIERS} WHERE (carrier_id > 5)", "PRE007", "shop.carriers", f"{NEW_CARRIERS};"),
    ("ALTER TABLE shop.stock REPLICA IDENTITY DEFAULT", "PRE008", "shop.stock", WHOLE.format("stock")),
    ("ALTER TABLE shop.orders REPLICA IDENTITY NOTHING", "PRE008", "shop.orders", WHOLE.format("orders")),
    ("ALTER TABLE shop.orders REPLICA IDENTITY USING INDEX orders_number_key", "PRE008", "shop.orders",
     WHOLE.format("orders")),
    ("ALTER TABLE shop.shipments SET UNLOGGED", "PRE011", "shop.shipments", "ALTER TABLE shop.shipments SET LOGGED;"),
)  # fmt: skip


@pytest.mark.parametrize(("ill", "code", "about", "fix"), ILLS, ids=[f"{i}-{c[1]}" for i, c in enumerate(ILLS)])
def test_each_ill_is_found_named_and_its_fix_works(patient: Patient, ill: str, code: str, about: str, fix: str) -> None:
    """One thing broken is one finding more, with the statement that mends it; run, it is gone."""
    if "UNLOGGED" in ill:
        patient.sql("ALTER PUBLICATION figbridge_legacy DROP TABLE shop.shipments")
    patient.sql(*ill.split(";"))
    _, told = patient.examined()
    result = told[code][about]
    assert (result["state"], result["fix"]) == ("wrong", fix)
    others = {("PRE005", "shop.shipments")} if "UNLOGGED" in ill else set()  # such a table cannot be published
    assert findings(told) - NOBODY_READS == {(code, about)} | others
    patient.sql(*[part for part in fix.split(";") if part.strip()])
    _, told = patient.examined()
    assert findings(told) - NOBODY_READS == others


BROKEN_TABLES: tuple[tuple[str, str, str, str], ...] = (
    ("ALTER TABLE shop.shipments RENAME TO parcels", "PRE080", "shop.shipments", "there is no such table"),
    ("ALTER TABLE shop.orders RENAME COLUMN notes TO remarks", "PRE081", "shop.orders", "without notes"),
    ("ALTER TABLE shop.orders RENAME COLUMN notes TO remarks", "PRE083", "shop.orders", "nobody speaks for remarks"),
    ("ALTER TABLE shop.stock DROP CONSTRAINT stock_pkey, ADD PRIMARY KEY (item_cd, on_hand)", "PRE082", "shop.stock",
     "item_cd, on_hand, not item_cd"),
    ("ALTER TABLE shop.payments ALTER amt TYPE date USING '2026-01-01'", "PRE084", "shop.payments.amt",
     "date, and `money` reads decimal, int, text"),
    ("ALTER TABLE shop.payments ALTER meth DROP NOT NULL", "PRE085", "shop.payments.meth", "NOT NULL → nullable"),
    ("ALTER TABLE shop.orders DROP notes, ADD notes text GENERATED ALWAYS AS (guest_mail || 'x') STORED", "PRE009",
     "shop.orders.notes", "generated"),
    ("ALTER TABLE shop.orders DROP COLUMN notes, ADD COLUMN notes text[][]", "PRE012", "shop.orders.notes",
     "text[] of 2 dimensions"),
)  # fmt: skip


@pytest.mark.parametrize(("ill", "code", "about", "found"), BROKEN_TABLES)
def test_a_table_that_moved_is_told(patient: Patient, ill: str, code: str, about: str, found: str) -> None:
    """What the mappings read must be there, of the type and with the key that they know."""
    patient.sql(ill)
    _, told = patient.examined()
    assert (told[code][about]["state"], told[code][about]["found"]) == ("wrong", found)


def test_a_partitioned_table_must_come_under_its_own_name(patient: Patient) -> None:
    """By default its changes come under its partitions' names, which no mapping has."""
    patient.sql(
        "DROP TABLE shop.shipments",
        "CREATE TABLE shop.shipments (ship_id integer PRIMARY KEY, order_id integer NOT NULL, carrier_id integer,"
        " stat char(1) NOT NULL, parcel_no varchar(20), sent_dt timestamp, upd_dt timestamp)"
        " PARTITION BY RANGE (ship_id)",
        "CREATE TABLE shop.shipments_1 PARTITION OF shop.shipments FOR VALUES FROM (0) TO (1000)",
        "ALTER PUBLICATION figbridge_legacy ADD TABLE shop.shipments",
    )
    _, told = patient.examined()
    assert findings(told) - NOBODY_READS == {("PRE010", "shop.shipments")}
    patient.sql(told["PRE010"]["shop.shipments"]["fix"].partition(" --")[0])
    _, told = patient.examined()
    assert findings(told) - NOBODY_READS == set()


def test_a_code_that_no_mapping_knows_is_found_in_the_table(patient: Patient) -> None:
    """Only with --scan: it reads the whole table."""
    patient.sql("INSERT INTO shop.customers VALUES (1, 'Ada', 'ada@example.test', 'Q7', 'N')")
    _, told = patient.examined()
    assert findings(told) == NOBODY_READS
    _, told = patient.examined("--scan")
    assert told["PRE086"]["shop.customers.seg"]["found"] == "unknown: 'Q7' in 1 rows"
    assert findings(told) - NOBODY_READS == {("PRE086", "shop.customers.seg")}


def test_a_slot_that_nobody_reads_is_behind_in_bytes_and_in_time(patient: Patient) -> None:
    """How much WAL it holds and since when nobody reads it, against the limits."""
    patient.sql("SELECT pg_create_logical_replication_slot('figbridge_legacy', 'pgoutput')")
    _, told = patient.examined()
    assert told["PRE020"]["figbridge_legacy"]["found"] == "nobody reads it"
    assert told["PRE022"]["figbridge_legacy"]["state"] == "ok"
    assert told["PRE023"]["figbridge_legacy"]["state"] == "ok"  # not long enough yet to matter
    patient.sql("CREATE TABLE public.much AS SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    _, told = patient.examined("--max-lag-mib", "1")
    assert told["PRE022"]["figbridge_legacy"]["state"] == "wrong"
    assert "MiB behind" in told["PRE022"]["figbridge_legacy"]["found"]


def test_what_is_accepted_is_told_and_is_no_finding(patient: Patient) -> None:
    """A code, or a code for one thing; an unknown code is refused."""
    patient.sql("ALTER TABLE shop.stock REPLICA IDENTITY DEFAULT")
    _, told = patient.examined("--accept", "PRE008=shop.stock")
    assert told["PRE008"]["shop.stock"]["state"] == "accepted"
    assert findings(told) == NOBODY_READS
    every = [word for code in {c for c, _ in NOBODY_READS} | {"PRE008"} for word in ("--accept", code)]
    assert patient.examined(*every)[0] is Exit.OK
    settings = str(patient.folder / "figbridge.yaml")
    assert run(["doctor", "--settings", settings, "--accept", "PRE999"]) is Exit.REFUSED
    assert "PRE101" in patient.capsys.readouterr().err


def test_nothing_is_green_when_nobody_answers(patient: Patient) -> None:
    """A wrong password, a gone server: each check of the database says that it could not be made."""
    for account in ({"password": "wrong", "user": "nobody_known"}, {"port": 1}):
        code, told = patient.examined("--scan", **account)
        assert code is Exit.FINDINGS
        states = {r["state"] for by in told.values() for r in by.values()}
        assert "ok" not in states
        assert all(r["found"].startswith("could not be checked: ") for r in told["PRE001"].values())


def test_the_account_of_the_page_is_enough_and_may_not_write(patient: Patient, database: str) -> None:
    """With the grants of docs/connectors.md every question is answered; --scan needs SELECT, and says so."""
    look = f"look_{patient.account['database']}"
    patient.sql(
        f"CREATE ROLE {look} LOGIN PASSWORD 'look'",
        f"GRANT USAGE ON SCHEMA shop TO {look}",
        f"GRANT pg_monitor TO {look}",
        "SELECT pg_create_logical_replication_slot('figbridge_legacy', 'pgoutput')",
    )
    try:
        _, told = patient.examined(user=look, password="look")
        unknown = {(c, a) for c, by in told.items() for a, r in by.items() if r["state"] == "unknown"}
        assert unknown == {("PRE071", "")}
        _, told = patient.examined("--scan", user=look, password="look")
        assert "permission denied" in told["PRE086"][""]["found"]
    finally:
        patient.sql(f"REVOKE ALL ON SCHEMA shop FROM {look}", f"DROP ROLE {look}")


WRITES = (
    "CREATE TABLE public.t (a int)",
    "UPDATE shop.orders SET stat = 'P'",
    "ALTER TABLE shop.orders REPLICA IDENTITY FULL",
    "CREATE PUBLICATION another",
    "SELECT nextval('shop.s')",
)


@pytest.mark.parametrize("write", WRITES)
def test_doctors_session_cannot_write(patient: Patient, write: str) -> None:
    """The server itself refuses, whatever the account may do."""
    patient.sql("CREATE SEQUENCE shop.s")
    words = {k: patient.account[k] for k in ("host", "port", "user", "database", "password")}
    look = PostgresPreflight(PostgresDatabase(**words))
    with pytest.raises(Refused, match="read-only transaction"), look.session() as connection:
        connection.execute(write)


def test_an_embedded_bridge_that_streams_is_green() -> None:
    """The monolith and the service, both streamed by the embedded engine: not one finding, whole tables read too."""
    with stage(ROOT / "mappings") as made:
        made.stream()
        with bootstrap.clinic(made.settings) as clinic:
            report = examine(clinic, Limits(), lambda _: None, scan=True)
        made.end()
    assert [(r.source, r.code, r.about, r.found) for r in report.findings] == []
    assert {r.source for r in report.results} == {"legacy", "delivery"}
    assert report.count(State.OK) > 100
