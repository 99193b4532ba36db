"""Rows and events in words, for the demo's screen. The demo's data is invented, so values may be shown."""

from __future__ import annotations

from collections import Counter
from typing import Any

from figbridge.demo.watch import Seen, event_of
from figbridge.domain.change import UNAVAILABLE, Op, RowChange
from figbridge.domain.verdict import Verdict
from figbridge.pipeline.perform import Performed

_OPS = {Op.CREATE: "insert", Op.UPDATE: "update", Op.DELETE: "delete", Op.READ: "read"}
_SHORT = 40


def rows_in_words(seen: Seen) -> list[str]:
    """Return a transaction's rows, equal ones counted together."""
    counted = Counter(_row(row) for row in seen.rows)
    return [text if n == 1 else f"{text}  (x{n})" for text, n in counted.items()]


def _row(row: RowChange) -> str:
    table = row.shape.table.removeprefix("shop.")
    what = f"{_OPS[Op(row.op)]} {table}"
    if row.op != Op.UPDATE or row.before is None or row.after is None:
        return what
    before, after = row.shape.cells(row.before), row.shape.cells(row.after)
    changed = [c for c in row.shape.columns if before[c] != after[c] and UNAVAILABLE not in (before[c], after[c])]
    if not changed:
        return f"{what}: only columns that mean nothing"
    return f"{what}: " + ", ".join(f"{c} {_cell(before[c])}→{_cell(after[c])}" for c in changed[:2])


def _cell(cell: Any) -> str:
    text = "null" if cell is None else str(cell).strip().replace("\n", ", ")
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def events_in_words(seen: Seen) -> list[str]:
    """Return what a transaction said, with where it went when that is not the domain topic."""
    return [said_in_words(done) for done in seen.performed if done.record is not None]


def said_in_words(done: Performed) -> str:
    """Return one word with its subject, the heart of its data, and where it went."""
    decision = done.decision
    event = event_of(done)
    where = {Verdict.SHADOW: "  → shadow", Verdict.UNAUTHORISED: "  → QUARANTINE"}.get(decision.verdict, "")
    if decision.verdict is Verdict.UNAUTHORISED:
        return f"{event['type']} {event['subject']}{where}"
    return f"{event['type']} {event['subject']}  {_heart(event['data'])}{where}"


def _heart(data: dict[str, Any]) -> str:
    parts = []
    for name, value in data.items():
        if isinstance(value, dict) and "amount" in value:
            parts.append(f"{name} {value['amount']}")
        elif isinstance(value, dict) and "text" in value:
            parts.append(f"{name} {_cell(address_in_words(value))}")
        elif isinstance(value, list):
            parts.append(f"{len(value)} {name}")
        elif not isinstance(value, dict) and value is not None:
            parts.append(f"{name} {_cell(value)}")
    return ", ".join(parts[:2])


def address_in_words(value: Any) -> str:
    """Return an address of an event in one line."""
    if not isinstance(value, dict):
        return str(value)
    text = value.get("text", value)
    if isinstance(text, dict):
        place = text.get("raw") or f"{text.get('street')}, {text.get('postcode')} {text.get('city')}"
    else:
        place = str(text)
    return f"{value.get('name', '')}, {place}".strip(", ").replace("\n", ", ")
