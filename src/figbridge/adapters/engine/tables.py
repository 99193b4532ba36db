"""Read what the catalogue says about tables, so that mappings can be checked against the live database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from figbridge.adapters.engine import extra
from figbridge.errors import Unreachable

_IDENTITY = {"d": "default", "n": "nothing", "f": "full", "i": "index"}

_TABLES = """
SELECT n.nspname || '.' || c.relname, c.oid, c.relreplident::text, c.reltuples::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%s)
"""
_COLUMNS = """
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.attgenerated <> '',
       array_position(i.indkey::int2[], a.attnum)
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""


class Column(NamedTuple):
    """One column: its type as PostgreSQL writes it (`numeric(10,2)`), and its place in the primary key from 0."""

    name: str
    type: str
    nullable: bool
    generated: bool
    key: int | None


class TableFacts(NamedTuple):
    """One table: its replica identity (`default`, `nothing`, `full`, `index`) and its columns in their order."""

    table: str
    identity: str
    columns: tuple[Column, ...]
    rows: int
    """The planner's estimate; -1 when nobody has counted yet."""

    @property
    def key(self) -> tuple[str, ...]:
        """Return the primary key's columns in the key's order; empty without a primary key."""
        keyed = sorted((c.key, c.name) for c in self.columns if c.key is not None)
        return tuple(name for _, name in keyed)


def table_facts(dsn: str, tables: Iterable[str]) -> dict[str, TableFacts]:
    """Return `schema.table` → facts for the tables that exist. Raises Unreachable when the database does not answer."""
    psycopg = extra.load("psycopg")
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            return read(connection, tables)
    except psycopg.OperationalError as error:
        at = psycopg.conninfo.conninfo_to_dict(dsn)
        raise unreachable(f"{at.get('dbname')} on {at.get('host')}:{at.get('port')}", error) from None


def unreachable(where: str, error: Exception) -> Unreachable:
    """Return the error for a database that does not answer, or does not let this account in."""
    hint = "figbridge config show: check host, port, user, password and database of the source"
    return Unreachable(f"The database {where} cannot be used: {line(error)}.", hint=hint, code="SRC001")


def line(error: Exception) -> str:
    """Return the line that says why; the client writes advice and other tries around it."""
    lines = str(error).strip().splitlines() or ["no answer"]
    return next((line for line in lines if "failed: " in line), lines[0]).strip(" \t-.")


def read(connection: Any, tables: Iterable[str]) -> dict[str, TableFacts]:
    """Return `schema.table` → facts for the tables that exist, over a connection of psycopg's."""
    found = connection.execute(_TABLES, [list(tables)]).fetchall()
    cells = connection.execute(_COLUMNS, [[oid for _, oid, _, _ in found]]).fetchall()
    columns: dict[int, list[Column]] = {oid: [] for _, oid, _, _ in found}
    for oid, name, kind, nullable, generated, key in cells:
        columns[oid].append(Column(name, kind, nullable, generated, key))
    return {
        table: TableFacts(table, _IDENTITY[identity], tuple(columns[oid]), rows) for table, oid, identity, rows in found
    }
