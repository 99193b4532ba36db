"""A catalogue of live tables, and which reader can read which type of column."""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Final, TypeAlias

from figbridge.mapping import model as m


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the database describes it: `type` is the database's word, `key` its place in the key, or 0."""

    name: str
    type: str
    nullable: bool = True
    key: int = 0


Tables: TypeAlias = Map[str, tuple[TableColumn, ...]]
"""Table, with its schema → its columns."""

_FAMILIES: Final = {
    "int": "smallint integer bigint int int2 int4 int8 serial bigserial smallserial tinyint mediumint year oid",
    "decimal": "numeric decimal dec money real float double float4 float8 fixed",
    "text": "char varchar character text citext bpchar name tinytext mediumtext longtext enum set nchar nvarchar",
    "bool": "boolean bool bit",
    "date": "date",
    "time": "time timetz",
    "instant": "timestamp timestamptz datetime",
    "json": "json jsonb",
    "uuid": "uuid",
    "bytes": "bytea blob tinyblob mediumblob longblob binary varbinary",
}
_FAMILY: Final = {word: family for family, words in _FAMILIES.items() for word in words.split()}

_READS: Final[dict[type[object], frozenset[str]]] = {
    m.Text: frozenset({"text", "uuid"}),
    m.Int: frozenset({"int"}),
    m.Decimal: frozenset({"int", "decimal", "text"}),
    m.Money: frozenset({"int", "decimal", "text"}),
    m.Bool: frozenset({"bool", "int", "text"}),
    m.Code: frozenset({"text", "int", "bool"}),
    m.Lookup: frozenset({"int", "text", "uuid"}),
    m.Ref: frozenset({"int", "text", "uuid", "decimal"}),
    m.Instant: frozenset({"instant", "int", "text"}),
    m.Date: frozenset({"date", "int", "text"}),
    m.Time: frozenset({"time", "int", "text"}),
    m.Json: frozenset({"json", "text"}),
    m.Uuid: frozenset({"uuid", "text"}),
    m.Address: frozenset({"text"}),
}


def family(type_name: str) -> str:
    """Return the family of a database's type, empty for one that is not known here."""
    word = re.match(r"[a-z0-9_]*", type_name.strip().lower())
    return _FAMILY.get(word.group(), "") if word else ""


def can_read(reader: type[object], type_name: str) -> bool:
    """Say whether a reader can read a column's type; a type or reader that is not known is given the benefit."""
    column = family(type_name)
    return not column or reader not in _READS or column in _READS[reader]


def readable(reader: type[object]) -> str:
    """Return the families that a reader reads, in words."""
    return ", ".join(sorted(_READS.get(reader, frozenset())))
