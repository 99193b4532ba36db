"""Grants, tenures and cuts as rows of the tables, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Row

from figbridge.domain.authority import Cut, Epoch, Grant, GrantKind, Stage, Tenure
from figbridge.domain.fact import Cell

_UNREADABLE: Final = Cut("unreadable", -1, -1)


def grant_row(grant: Grant) -> dict[str, Any]:
    """Return a grant as a row of `grants`; its cuts are JSON, [[topic, partition, offset], …]."""
    return {
        "seq": grant.seq,
        "fact": grant.cell.fact,
        "scope": grant.cell.scope,
        "epoch": grant.epoch,
        "owner": grant.owner,
        "successor": grant.successor,
        "stage": grant.stage.value,
        "kind": grant.kind.value,
        "reason": grant.reason,
        "granted_by": grant.by,
        "granted_at": grant.at,
        "cuts": json.dumps([[c.topic, c.partition, c.offset] for c in grant.cuts]),
        "previous": grant.previous,
        "hash": grant.hash,
    }


def tenure_row(grant: Grant) -> dict[str, Any]:
    """Return the tenure that a grant begins, as a row of `tenures`."""
    names = ("seq", "fact", "scope", "epoch", "owner", "successor", "stage")
    return {name: value for name, value in grant_row(grant).items() if name in names}


def cut_rows(grant: Grant) -> list[dict[str, Any]]:
    """Return the cuts of a grant as rows of `cuts`."""
    cell = {"fact": grant.cell.fact, "scope": grant.cell.scope, "epoch": grant.epoch}
    return [cell | {"topic": c.topic, "partition": c.partition, "first_offset": c.offset} for c in grant.cuts]


def grant_of(row: Row[Any]) -> Grant:
    """Return a grant exactly as it stands in the log, even when somebody wrote nonsense there.

    A stage or kind that nobody knows stays as it is, and cuts that cannot be read become a cut that no log has:
    the walk along the chain shall name the link, not fall over it.
    """
    return Grant(
        cell=Cell(row.fact, row.scope),
        owner=row.owner,
        successor=row.successor,
        stage=_known(Stage, row.stage),
        kind=_known(GrantKind, row.kind),
        reason=row.reason,
        by=row.granted_by,
        at=row.granted_at,
        seq=row.seq,
        epoch=row.epoch,
        cuts=_cuts(row.cuts),
        previous=row.previous,
        hash=row.hash,
    )


def epochs_of(tenures: Iterable[Row[Any]], cuts: Iterable[Row[Any]]) -> list[tuple[Cell, Epoch]]:
    """Return the derived table, in the order of `tenures`; raises ValueError for a stage that nobody knows."""
    begins: dict[tuple[str, str, int], list[Cut]] = {}
    for row in cuts:
        begins.setdefault((row.fact, row.scope, row.epoch), []).append(Cut(row.topic, row.partition, row.first_offset))
    return [
        (
            Cell(row.fact, row.scope),
            Epoch(
                Tenure(row.epoch, row.owner, row.successor, Stage(row.stage)),
                tuple(sorted(begins.get((row.fact, row.scope, row.epoch), ()))),
            ),
        )
        for row in tenures
    ]


def _known(kind: Any, text: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text


def _cuts(text: Any) -> tuple[Cut, ...]:
    try:
        return tuple(Cut(topic, partition, offset) for topic, partition, offset in json.loads(text))
    except (TypeError, ValueError):
        return (_UNREADABLE,)
