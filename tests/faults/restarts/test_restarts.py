"""Restart a connector inside a mass change of keys, and inside a COPY: every lost row is recovered or named.

The row's key is in every event, so the topics can be held against the table. The verifier reads Kafka itself, only
what is committed, with no code of figbridge.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from .ledger import Ledger
from .place import Place
from .restart import KINDS
from .story import disturbed

if TYPE_CHECKING:
    from support.servers import LocalServers

pytestmark = [pytest.mark.sandbox, pytest.mark.faults, pytest.mark.timeout(7200)]

RESTARTS = int(os.environ.get("FIGBRIDGE_RESTARTS", "1"))
"""How many restarts there are inside changes of keys on each database, and as many inside COPYs; of small ones, one."""
ROWS = int(os.environ.get("FIGBRIDGE_RESTARTS_ROWS", "5000"))
"""How many rows a COPY has; a change of keys has a fifth of it."""
WHOLE = 100_000
SMALL_BATCHES = {"max.batch.size": "20", "max.queue.size": "40", "poll.interval.ms": "10"}
"""So that a connector takes long enough over few rows; with many it is as anybody runs it."""
LOSSY = {"connector.plugin.version": "[3.6.3.Final]"}
COPIES = RESTARTS if ROWS >= WHOLE else 1
MORE = {} if ROWS >= WHOLE else SMALL_BATCHES

_numbers = count(1)


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_rows_lost_in_a_mass_change_of_keys_come_back(
    lossy: LocalServers, kind: str, tmp_path: Path, dice: Random, summary: Callable[[str], None]
) -> None:
    """Debezium as it is used: of the transaction in work at a restart, the `c` of a changed key may be lost."""
    rows, ledger = ROWS // 5, Ledger()
    with Place(tmp_path / kind, lossy, f"keys{next(_numbers)}", kind, MORE) as place:
        place.database.copy("K0", range(1, rows + 1))

        def write(mark: str) -> None:
            place.database.rename(mark)

        run(place, ledger, "K", rows, write, RESTARTS, dice)
        summary(f"keys on {kind}, Debezium {place.version}: {ledger.line()}")
    # About every second restart loses a row; of the few in an ordinary run, none may.
    assert ledger.lost > 0 or RESTARTS < 10, "no restart lost a row: the campaign has shown nothing"


def test_rows_lost_in_a_copy_come_back(
    lossy: LocalServers, tmp_path: Path, dice: Random, summary: Callable[[str], None]
) -> None:
    """Debezium 3.6.3, which loses the rest of a page's rows."""
    ledger, start = Ledger(), count(1, ROWS)
    with Place(tmp_path / "copy", lossy, f"copy{next(_numbers)}", "postgres", MORE | LOSSY) as place:

        def write(mark: str) -> None:
            first = next(start)
            place.database.copy(mark, range(first, first + ROWS))

        run(place, ledger, "C", ROWS, write, COPIES, dice)
        summary(f"COPY, Debezium {place.version}: {ledger.line()}")
        assert place.version == "3.6.3.Final"
    # The one restart of an ordinary run may hit a place where nothing shares its position.
    assert ledger.lost > 0 or ROWS < WHOLE, "no restart lost a row: the campaign has shown nothing"


def run(
    place: Place, ledger: Ledger, letter: str, rows: int, write: Callable[[str], None], restarts: int, dice: Random
) -> None:
    """Make transactions, each with one to three restarts inside it, until all restarts have been inside one."""
    todo = [KINDS[n % len(KINDS)] for n in range(restarts)]
    dice.shuffle(todo)
    for number in count(1):
        if not todo:
            break
        assert number <= 2 * restarts, f"restarts do not hit a transaction: {todo} are left"
        kinds = todo if len(todo) <= len(KINDS) else todo[: dice.randrange(1, 4)]
        mark = f"{letter}{number}"
        landed = disturbed(place, ledger, mark, rows, lambda mark=mark: write(mark), kinds)  # type: ignore[misc]
        todo = todo[landed:]
        print(f"{place.name} {mark}: {landed} of {kinds} inside; so far {ledger.line()}", flush=True)  # noqa: T201
    assert place.command("holes", "list", "-o", "json") == []
