"""Everything the bridge can say in its log: a closed catalogue. A field that is not named here cannot be logged.

No field ever holds a column's value: keys of aggregates, positions, counts, names of tables and facts only.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TextIO, cast

from figbridge.errors import InvariantError


class LogEvent(Enum):
    """Name a log event and the fields it has. The docstring under each is its documentation."""

    BRIDGE_STARTED = ("bridge_started", ("group", "sources", "mappings", "facts"))
    """The bridge reads its source logs."""
    BRIDGE_STOPPED = ("bridge_stopped", ("group", "records"))
    """The bridge has committed its last batch and left its group."""
    SOURCES_TAKEN = ("sources_taken", ("logs",))
    """This process works on source logs now, from where the group stands."""
    SOURCES_GIVEN_UP = ("sources_given_up", ("logs",))
    """This process works on source logs no longer: another one has them, or they are begun again."""
    STATE_RESTORING = ("state_restoring", ("changelog", "records", "of", "per_second"))
    """The copy of the state is being brought up to date."""
    STATE_RESTORED = ("state_restored", ("changelog", "records", "of", "per_second"))
    """The copy of the state is up to date."""
    STREAM_STARTED = ("stream_started", ("source", "topic"))
    """A connector streams out of its database."""
    STREAM_FAILED = ("stream_failed", ("source", "reason"))
    """A connector ended by itself."""
    BATCH_COMMITTED = ("batch_committed", ("records", "claims", "transactions", "seconds"))
    """A batch is durable."""
    KEY_PARKED = ("key_parked", ("key", "code", "why", "position"))
    """A key was set aside; its later changes wait behind it."""
    CLAIM_QUARANTINED = ("claim_quarantined", ("fact", "subject", "speaker", "owner", "position"))
    """A system spoke about a fact that it does not own."""
    RECORD_DEAD = ("record_dead", ("reason", "position"))
    """A record cannot be used; its letter says why."""
    TRANSACTION_SUSPECT = ("transaction_suspect", ("source", "doubt", "tx", "position", "tables"))
    """A transaction may have lost rows on its way into the log."""
    LETTER_DECIDED = ("letter_decided", ("position", "state", "code", "claims"))
    """A decision on a dead letter was carried out, or could not be."""
    HOLE_CHECKED = ("hole_checked", ("source", "position", "state", "method", "recovered", "named", "gone"))
    """What was found in the database about a suspect was taken in, or the suspect was accepted."""
    AUTHORITY_MOVED = ("authority_moved", ("version",))
    """The authority changed while a batch was judged; it is judged again."""
    FACTS_CONTRADICT = ("facts_contradict", ("code", "fact", "message"))
    """facts.yaml says otherwise than the authority store."""
    MAPPINGS_RENEWED = ("mappings_renewed", ("mappings",))
    """The bridge was told to read its mappings again, and goes on with them."""
    MAPPINGS_REFUSED = ("mappings_refused", ("findings", "first"))
    """The mappings that were read again cannot be used; the bridge goes on with those it had."""
    TABLE_DRIFTED = ("table_drifted", ("table", "message"))
    """A table in the database is not as the mappings have it."""

    def __init__(self, event: str, fields: tuple[str, ...]) -> None:
        self.event = event
        self.fields = fields


_WARNINGS = {
    LogEvent.STREAM_FAILED,
    LogEvent.KEY_PARKED,
    LogEvent.CLAIM_QUARANTINED,
    LogEvent.RECORD_DEAD,
    LogEvent.TRANSACTION_SUSPECT,
    LogEvent.FACTS_CONTRADICT,
    LogEvent.MAPPINGS_REFUSED,
    LogEvent.TABLE_DRIFTED,
}
_QUIET = {LogEvent.BATCH_COMMITTED}


class _Stderr(io.TextIOBase):
    """The standard error of the moment of each line: a caller may have put another in its place since."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure(*, json: bool, verbose: bool = False, stream: TextIO | None = None) -> None:
    """Send log lines to a stream (stderr by default), as JSON or for people; batches only when verbose."""
    import structlog  # here and below: most commands write no log, and it takes a while to load

    stream = stream or cast("TextIO", _Stderr())
    renderer = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty() and not os.environ.get("NO_COLOR"))
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


@contextmanager
def telling(stream: TextIO) -> Iterator[None]:
    """Send log lines to a stream as JSON until the block ends, and after it to where they went before."""
    import structlog

    before = structlog.get_config() if structlog.is_configured() else None
    configure(json=True, stream=stream)
    try:
        yield
    finally:
        if before is None:
            structlog.reset_defaults()
        else:
            structlog.configure(**before)


def tell(event: LogEvent, **fields: object) -> None:
    """Write one line. Raises InvariantError for a field that the event does not have, or one that is missing."""
    if set(fields) != set(event.fields):
        odd = sorted(set(fields) ^ set(event.fields))
        raise InvariantError(
            f"log event {event.event} and the fields {', '.join(odd)} do not go together", code="BUG002"
        )
    import structlog

    if not structlog.is_configured():
        configure(json=False)  # structlog's own default writes to stdout, where only results belong
    log = structlog.get_logger()
    level = "warning" if event in _WARNINGS else "debug" if event in _QUIET else "info"
    getattr(log, level)(event.event, **fields)
