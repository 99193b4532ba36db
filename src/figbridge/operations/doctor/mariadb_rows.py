"""What a MariaDB binlog does not show of rows, or shows wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from figbridge.domain.preflight import Unknown
from figbridge.operations.doctor.check import MARIADB, Check, Found, wrong
from figbridge.operations.doctor.scene import Scene, quoted

_FOREIGN: Final = re.compile(
    r"CONSTRAINT `(?P<name>(?:[^`]|``)+)` FOREIGN KEY \((?P<columns>[^)]*)\) REFERENCES (?P<parent>[^(]+?) \([^)]*\)"
    r"(?P<rules>[^\n,]*)"
)


_SILENT_RULE: Final = re.compile(r"ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT)")


_NO_ZERO: Final = {"NO_ZERO_DATE", "NO_ZERO_IN_DATE"}


def _cascades(scene: Scene) -> Iterator[Found]:
    for row in scene.facts.rows("definitions"):
        table = str(row["table"])
        if row["text"] is None:
            raise Unknown(f"the definition of {table} cannot be read: {row['why']}")
        for key in _FOREIGN.finditer(str(row["text"])):
            if rules := _SILENT_RULE.findall(key["rules"]):
                parent = key["parent"].replace("`", "")
                says = f"{key['columns'].replace('`', '')} → {parent} {', '.join(rules).lower()}"
                fields = {"table": quoted(table, "`"), "key": quoted(key["name"], "`")}
                yield wrong(table, says, fields)


def _engines(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        (row,) = scene.facts.of("tables", table)
        yield Found(table, str(row["engine"]).lower() == "innodb", str(row["engine"]), {"table": quoted(table, "`")})


def _xa(scene: Scene) -> Iterator[Found]:
    count = int(scene.facts.named("status", "com_xa_prepare"))
    yield Found("XA PREPARE", count == 0, f"{count:,} since the server started")


def _zero_dates(scene: Scene) -> Iterator[Found]:
    modes = set(scene.facts.named("variables", "sql_mode").upper().split(","))
    lenient = not modes >= _NO_ZERO or not any(m.startswith("STRICT_") for m in modes)
    for table, name, row in scene.read_columns():
        word = re.match(r"[a-z]+", str(row["type"]).lower())
        if word and (word[0] in ("timestamp", "year") or (word[0] in ("date", "datetime") and not row["nullable"])):
            null = "" if row["nullable"] else " NOT NULL"
            found = f"{row['type']}{null}, zero dates are {'' if lenient else 'not '}allowed"
            yield Found(f"{table}.{name}", not lenient, found)


def _zone(scene: Scene) -> Iterator[Found]:
    zone = scene.facts.named("variables", "time_zone")
    zone = scene.facts.named("variables", "system_time_zone") if zone == "SYSTEM" else zone
    for table, name, row in scene.read_columns():
        if str(row["type"]).lower().startswith("timestamp"):
            yield Found(f"{table}.{name}", zone in ("UTC", "+00:00", "Etc/UTC"), f"timestamp, the server is in {zone}")


def _unsigned(scene: Scene) -> Iterator[Found]:
    for table, name, row in scene.read_columns():
        kind = str(row["type"]).lower()
        if kind.startswith("bigint") and "unsigned" in kind:
            found = "counted up by the server" if row["counted"] else "may pass 2^63 - 1"
            fields = {"table": quoted(table, "`"), "column": quoted(name, "`")}
            yield Found(f"{table}.{name}", bool(row["counted"]), f"{row['type']}, {found}", fields)


def _parser(scene: Scene) -> Iterator[Found]:
    for table in scene.live_tables():
        for row in scene.facts.of("columns", table):
            if str(row["type"]).lower().startswith(("inet4", "inet6")):
                fields = {"table": quoted(table, "`"), "column": quoted(str(row["column"]), "`")}
                yield wrong(f"{table}.{row['column']}", str(row["type"]), fields)


CHECKS = (
    Check(
        "PRE038", "foreign keys that change rows",
        "no captured table has one with CASCADE, SET NULL or SET DEFAULT",
        "The engine changes those rows below the binlog: only the parent's change is in it.",
        "ALTER TABLE {table} DROP FOREIGN KEY {key}; -- add it again with RESTRICT, and let the application do it",
        MARIADB, _cascades,
    ),
    Check(
        "PRE039", "storage engines", "InnoDB",
        "Rows of an engine without transactions are in the log even when the transaction was rolled back.",
        "ALTER TABLE {table} ENGINE = InnoDB;", MARIADB, _engines,
    ),
    Check(
        "PRE040", "XA transactions", "none since the server started",
        "Rows are in the log at XA PREPARE, also of a transaction that is rolled back afterwards.",
        "-- find who prepares: SELECT * FROM information_schema.processlist WHERE info LIKE 'XA%';", MARIADB, _xa,
    ),
    Check(
        "PRE041", "zero dates",
        "a strict sql_mode with NO_ZERO_DATE and NO_ZERO_IN_DATE, where a mapping reads a column that cannot show them",
        "A zero date in a NOT NULL column or a TIMESTAMP arrives as 1970, in a YEAR as 1900: a date that nobody wrote.",
        "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE');",
        MARIADB, _zero_dates,
    ),
    Check(
        "PRE042", "the server's time zone", "UTC, where a mapping reads a TIMESTAMP",
        "A snapshot reads it in the server's zone, and one hour each autumn stands for two instants.",
        "SET GLOBAL time_zone = '+00:00'; -- and default_time_zone in the server's file", MARIADB, _zone,
    ),
    Check(
        "PRE043", "unsigned numbers", "a bigint unsigned that is read is counted up by the server",
        "A number above 2^63 - 1 arrives negative, in a key too.",
        "ALTER TABLE {table} MODIFY {column} bigint NOT NULL; -- when SELECT MAX({column}) allows it",
        MARIADB, _unsigned,
    ),
    Check(
        "PRE044", "column types", "no captured table has INET4 or INET6",
        "Debezium's parser stops at the table's definition, and with it the connector.",
        "ALTER TABLE {table} MODIFY {column} varchar(45);", MARIADB, _parser,
    ),
)  # fmt: skip
