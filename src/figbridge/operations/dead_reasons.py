"""What the reasons of dead letters mean, and what is left when a letter cannot be replayed: words for people."""

from __future__ import annotations

from typing import Final

_NOT_DEBEZIUM = "The record is not what Debezium writes: something else writes to the source log, or a converter is "
_CHANGED = "A transform or converter changes records, or the table is not as the mapping has it: "

EXPLANATIONS: Final = {
    "NOT_UTF8": _NOT_DEBEZIUM + "not JSON. A replay will not help: the record stays what it is.",
    "NOT_JSON": _NOT_DEBEZIUM + "not JSON. A replay will not help: the record stays what it is.",
    "NOT_AN_OBJECT": _NOT_DEBEZIUM + "set otherwise. A replay will not help: the record stays what it is.",
    "UNKNOWN_RECORD": _NOT_DEBEZIUM + "set otherwise. A replay will not help: the record stays what it is.",
    "UNKNOWN_OPERATION": _CHANGED + "its operation is none that is known.",
    "SOURCE_MISSING": _CHANGED + "it does not say of which table it is.",
    "WRONG_TYPE": _CHANGED + "the detail names the field. Replay it when the mapping fits.",
    "IMAGE_MISSING": _CHANGED + "the row before or after the change is not there.",
    "KEY_MISSING": _CHANGED + "a primary key column has no usable cell. Correct `key` in the mapping, then replay.",
    "HEADER_UNREADABLE": _CHANGED + "the header that names a row's other key cannot be read.",
    "TRUNCATE": "Somebody emptied a mapped table. No row says what that means: a person must, and the letter can only "
    "be discarded. The remembered rows stay.",
    "NEVER_ENDED": "Its transaction has no END: it was only prepared (XA), or cut off. Whether it was committed must "
    "be asked of the database: figbridge holes check.",
    "OUTBOX_INCOMPLETE": "A row of a service's outbox without type, subject or payload. Correct the column names in "
    "mappings/services/ and replay, or have the service say its word again and discard.",
    "OUTBOX_UNKNOWN_TYPE": "A service said an event that its document does not declare. Declare it in "
    "mappings/services/, start the bridge with it, then replay.",
    "OUTBOX_NOT_AN_OBJECT": "The payload of an outbox row is no JSON object. The service must say its word again; "
    "then discard.",
}
"""Reason of a letter → what it means and what helps."""

WAYS_OUT: Final = {
    "NEVER_ENDED": "ask the database: figbridge holes check",
    "NO_PLACE": "discard it, and touch the row so that it comes again",
    "GONE": "touch the row so that it comes again, then discard the letter",
    "STILL_DEAD": "correct the mapping or the service's document first, or discard it",
    "NOT_A_ROW": "discard it: with these mappings it says nothing",
    "ANOTHER_TRANSACTION": "report it with the letter",
    "CHANGED_SINCE": "it would come too late; touch the row so that its state comes again, then discard the letter",
}
"""Why a letter cannot be replayed → what to do instead."""
