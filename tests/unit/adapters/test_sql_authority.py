"""The authority store in SQLite: its schema, its protection, what tampering shows, and when it cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from figbridge.adapters.sql.authority_store import SqlAuthorityStore
from figbridge.adapters.sql.migrate import VERSION_TABLE, migrate
from figbridge.adapters.sql.tables import METADATA
from figbridge.domain.authority import Cut, Grant, GrantKind, Stage
from figbridge.domain.fact import Cell
from figbridge.errors import Refused, Unreachable
from figbridge.operations.authority import verify

CELLS = (Cell("order.delivery"), Cell("order.payment"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a file with signs that an address and a setting would take otherwise."""
    return tmp_path / "authority 100%.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlAuthorityStore]:
    """Four grants: two cells declared, both granted to a service."""
    with SqlAuthorityStore(f"sqlite+pysqlite:///{file}", 0.05) as store:
        store.migrate()
        for cell in CELLS:
            first = Grant(cell, "legacy", "svc", Stage.SHADOW, GrantKind.DECLARED, "so", "ann", "2026-03-01")
            store.grant(first, tuple)
        for offset, cell in enumerate(CELLS, start=7):
            cut = Cut("legacy.log", 0, offset)
            second = Grant(cell, "svc", "legacy", Stage.SERVICE, GrantKind.BREAK_GLASS, "must", "bob", "2026-03-02")
            store.grant(second, lambda cut=cut: (cut,))
        yield store


def raw(file: Path, *statements: str) -> None:
    """Run statements as somebody with the file in hand would."""
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


UNLOCK = ("DROP TRIGGER grants_no_update", "DROP TRIGGER grants_no_delete")


def test_the_migrations_make_the_tables_that_the_code_uses(store: SqlAuthorityStore) -> None:
    """The last revision and the table definitions agree."""
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_migrating_again_does_nothing_and_needs_no_lock(store: SqlAuthorityStore) -> None:
    """A store that is up to date is left alone, even while a batch commits."""
    with store.shared():
        assert migrate(store.engine) == "0001"
    assert store.version() == 4


def test_a_store_that_a_newer_program_migrated_is_refused(store: SqlAuthorityStore, file: Path) -> None:
    """An older program does not touch what it does not know."""
    raw(file, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Refused, match="9999") as refused:
        store.migrate()
    assert refused.value.hint


@pytest.mark.parametrize("statement", ["UPDATE grants SET reason = 'x' WHERE seq = 1", "DELETE FROM grants"])
def test_the_database_refuses_to_change_the_log(store: SqlAuthorityStore, file: Path, statement: str) -> None:
    """A trigger keeps grants append-only against whoever writes SQL."""
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw(file, statement)
    assert verify(store) is None


TAMPERED = {
    "reason": ("UPDATE grants SET reason = 'never mind' WHERE seq = 3", 3),
    "owner": ("UPDATE grants SET owner = 'mallory' WHERE seq = 2", 2),
    "no successor": ("UPDATE grants SET successor = NULL WHERE seq = 1", 1),
    "a stage nobody knows": ("UPDATE grants SET stage = 'won' WHERE seq = 2", 2),
    "a kind nobody knows": ("UPDATE grants SET kind = 'won' WHERE seq = 2", 2),
    "cut": ("UPDATE grants SET cuts = '[[\"legacy.log\", 0, 6]]' WHERE seq = 3", 3),
    "cuts that are none": ("UPDATE grants SET cuts = 'x' WHERE seq = 1", 1),
    "cuts of nonsense": ("UPDATE grants SET cuts = '[[1]]' WHERE seq = 1", 1),
    "epoch as text": ("UPDATE grants SET epoch = 'x' WHERE seq = 2", 2),
    "previous": ("UPDATE grants SET previous = hash WHERE seq = 2", 2),
    "hash": ("UPDATE grants SET hash = previous WHERE seq = 3", 3),
    "first gone": ("DELETE FROM grants WHERE seq = 1", 1),
    "middle gone": ("DELETE FROM grants WHERE seq = 3", 3),
    "last gone": ("DELETE FROM grants WHERE seq = 4", 4),
    "all gone": ("DELETE FROM grants", 1),
    "derived owner": ("UPDATE tenures SET owner = 'mallory' WHERE seq = 3", 3),
    "derived stage": ("UPDATE tenures SET stage = 'fenced' WHERE seq = 3", 3),
    "derived cut": ("UPDATE cuts SET first_offset = 0 WHERE fact = 'order.payment'", 4),
    "derived cut gone": ("DELETE FROM cuts WHERE fact = 'order.delivery'", 3),
    "derived epoch gone": ("DELETE FROM tenures WHERE seq = 2", 2),
    "derived order": ("UPDATE tenures SET seq = -seq WHERE fact = 'order.payment'", 5),
    "derived epoch more": ("INSERT INTO tenures VALUES ('order.delivery', 'all', 3, 5, 'm', NULL, 'service')", 5),
    "head version": ("UPDATE head SET version = 3", 5),
    "head hash": ("UPDATE head SET hash = 'x'", 5),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_tampering_is_found_with_the_first_broken_link(store: SqlAuthorityStore, file: Path, case: str) -> None:
    """Whatever is changed in the file, verify names the grant where the store first does not hold."""
    statement, seq = TAMPERED[case]
    assert verify(store) is None
    raw(file, *UNLOCK, statement)
    broken = verify(store)
    assert broken is not None
    assert broken.seq == seq
    assert broken.why


@pytest.mark.parametrize("case", ["last gone", "head hash", "head version"])
def test_nothing_is_appended_to_an_end_that_was_tampered_with(store: SqlAuthorityStore, file: Path, case: str) -> None:
    """A grant would make the damage look like history."""
    raw(file, *UNLOCK, TAMPERED[case][0])
    back = Grant(CELLS[0], "legacy", "svc", Stage.SHADOW, GrantKind.BREAK_GLASS, "back", "bob", "2026-03-03")
    with pytest.raises(Refused, match="ends otherwise"):
        store.grant(back, lambda: (Cut("legacy.log", 0, 9),))


def unreadable(store: SqlAuthorityStore) -> list[str]:
    """Return what each way of reading says; all must say Unreachable with a hint."""
    said = []
    for read in (store.version, store.load, store.history):
        with pytest.raises(Unreachable) as unreachable:
            read()
        assert unreachable.value.hint
        assert "\n" not in unreachable.value.message
        said.append(unreachable.value.message)
    return said


def test_a_store_without_tables_is_unreachable(file: Path) -> None:
    """An address that names nothing, or nothing yet, is not an empty authority."""
    with SqlAuthorityStore(f"sqlite+pysqlite:///{file}") as store:
        assert all("no tables" in said for said in unreadable(store))


def test_a_file_that_cannot_be_opened_is_unreachable(tmp_path: Path) -> None:
    """A folder that is not there does not answer."""
    with SqlAuthorityStore(f"sqlite+pysqlite:///{tmp_path / 'nowhere' / 'authority.db'}") as store:
        assert all("unable to open" in said for said in unreadable(store))


def test_a_file_that_is_no_database_is_unreachable(file: Path) -> None:
    """Garbage is not an empty authority."""
    file.write_bytes(b"not a database, " * 99)
    with SqlAuthorityStore(f"sqlite+pysqlite:///{file}") as store:
        assert all("not a database" in said for said in unreadable(store))


def test_a_stage_that_nobody_knows_is_unreachable(store: SqlAuthorityStore, file: Path) -> None:
    """What cannot be understood is not guessed at."""
    raw(file, "UPDATE tenures SET stage = 'tomorrow' WHERE seq = 4")
    with pytest.raises(Unreachable, match="tomorrow"):
        store.load()


def test_a_lock_that_is_not_given_in_time_is_unreachable(store: SqlAuthorityStore, file: Path) -> None:
    """Somebody with the file in hand holds readers and grants off no longer than they wait."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    assert all("lock in time" in said for said in unreadable(store))
    connection.execute("ROLLBACK")
    connection.close()
    assert store.version() == 4


def test_a_file_with_a_write_ahead_log_is_not_used(store: SqlAuthorityStore, file: Path) -> None:
    """There a reader holds off no grant: it is put back when nobody has it open, and unreachable until then."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("SELECT * FROM head").fetchall()
    unreadable(store)
    connection.close()
    assert store.version() == 4
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


@pytest.mark.parametrize(
    "url", ["sqlite+pysqlite://", "sqlite+pysqlite:///:memory:", "oracle://u:secret@h/x", "secret"]
)
def test_an_address_that_cannot_work_is_refused_at_once(url: str) -> None:
    """With a hint, and without repeating a password."""
    with pytest.raises(Refused) as refused:
        SqlAuthorityStore(url)
    assert refused.value.hint
    assert "secret" not in str(refused.value)


def test_a_password_is_not_repeated(tmp_path: Path) -> None:
    """An error names the address of the store without its password."""
    url = f"postgresql+psycopg://ann:hunter2@/shop?host={tmp_path}"
    with SqlAuthorityStore(url, 1.0) as store:
        assert all("hunter2" not in said and "ann" in said for said in unreadable(store))
