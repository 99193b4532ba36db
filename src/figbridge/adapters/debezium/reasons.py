"""Why a record cannot be used: the closed list of codes that `Dead.reason` may hold."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Reason(StrEnum):
    """Name why a record is dead. The codes are stable: dead letters and runbooks refer to them."""

    NOT_UTF8 = "NOT_UTF8"
    """The value is not UTF-8."""
    NOT_JSON = "NOT_JSON"
    """The value is not JSON, or nested deeper than any record is."""
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    """The value is JSON but no object, or an object without fields."""
    UNKNOWN_RECORD = "UNKNOWN_RECORD"
    """The object is none of the records that Debezium writes."""
    UNKNOWN_OPERATION = "UNKNOWN_OPERATION"
    """`op` is none of c, u, d, r, t, m."""
    SOURCE_MISSING = "SOURCE_MISSING"
    """A row without `source`, or whose `source` names no table."""
    WRONG_TYPE = "WRONG_TYPE"
    """A field is missing or has another type than Debezium gives it."""
    IMAGE_MISSING = "IMAGE_MISSING"
    """A row without the image its operation must have: `before` of a delete, `after` of the others."""
    KEY_MISSING = "KEY_MISSING"
    """A row image without a usable cell in each primary key column."""
    HEADER_UNREADABLE = "HEADER_UNREADABLE"
    """The header of a key update cannot be read, so the other key is not known."""
    TRUNCATE = "TRUNCATE"
    """A mapped table was truncated: a person must say what that means."""


UNREADABLE: Final = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError)
"""What reading untrusted bytes may raise: malformed JSON, invalid UTF-8, absurd numbers, absurd depth."""


def where(error: BaseException) -> str:
    """Say where in a record an error is, without any value of the record: a path as `$.source.lsn`, or a byte."""
    if isinstance(error, UnicodeDecodeError):
        return "in a text"
    text = str(error)
    if isinstance(error, msgspec.ValidationError):
        _, found, path = text.rpartition(" - at `")
        return f"at {path.rstrip('`')}" if found else "at $"
    _, found, byte = text.rpartition("(byte ")
    return f"at byte {byte.rstrip(')')}" if found else "as a whole"
