"""The form that Debezium gives PostgreSQL's values, as SQL: the server writes each cell as the log would have it.

With decimal.handling.mode=string and time.precision.mode=adaptive, as our connectors are set. Compared with what
Debezium wrote on a live database: tests/integration/holes/test_form.py. Types that are not here are refused.
"""

from __future__ import annotations

from typing import Final

_AS_IT_IS: Final = frozenset({"int2", "int4", "int8", "oid", "bool", "text", "varchar", "bpchar", "float4", "float8"})
_AS_TEXT: Final = frozenset({"uuid", "json", "jsonb", "xml", "citext", "name", "inet", "cidr", "macaddr"})
_MILLISECONDS: Final = 3
"""With this precision and less, Debezium counts in milliseconds."""


def same(column: str, kind: str, form: str) -> str:
    """Return the SQL that compares a column with a cell given as text; by the column itself where an index may help."""
    if kind in _AS_IT_IS | {"numeric", "uuid"}:
        return f"{column} = %s::{kind}"
    return f"to_jsonb({form}) #>> '{{}}' = %s"


def cell(column: str, kind: str, precision: int | None, *, enum: bool) -> str | None:
    """Return the SQL that gives a column's cell; None for a type whose form is not known.

    `column` is quoted, `kind` the type's name in pg_type, `precision` that of a time (6 without one).

    >>> cell('"n"', "int4", None, enum=False)
    '"n"'
    >>> cell('"x"', "point", None, enum=False) is None
    True
    """
    fine = precision is None or precision > _MILLISECONDS
    if kind in _AS_IT_IS:
        return column
    if kind in _AS_TEXT or enum:
        return f"{column}::text"
    match kind:
        case "numeric":
            return f"CASE WHEN {column} = 'NaN' THEN 'NAN' ELSE {column}::text END"
        case "date":
            days = f"({column} - date '1970-01-01')"
            return f"CASE {column} WHEN 'infinity' THEN -2147472692 WHEN '-infinity' THEN -2147472691 ELSE {days} END"
        case "timestamp":
            factor, most, least = (
                (1_000_000, 9223372036825200000, -9223372036832400000)
                if fine
                else (1_000, 9223372036825200, -9223372036832400)
            )
            count = f"(extract(epoch FROM {column}) * {factor})::bigint"
            return f"CASE {column} WHEN 'infinity' THEN {most} WHEN '-infinity' THEN {least} ELSE {count} END"
        case "timestamptz":
            digits = 19 + (0 if precision == 0 else 1 + (6 if precision is None else precision))
            text = f"""left(to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), {digits}) || 'Z'"""
            return f"CASE WHEN isfinite({column}) THEN {text} ELSE {column}::text END"
        case "time":
            return f"(extract(epoch FROM {column}) * {1_000_000 if fine else 1_000})::bigint"
        case "bytea":
            return f"replace(encode({column}, 'base64'), chr(10), '')"
        case _:
            return None
