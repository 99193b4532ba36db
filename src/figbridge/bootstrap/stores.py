"""Open the log and the authority store that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from figbridge.errors import Unreachable
from figbridge.ports import AuthorityStore, Log

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore
    from figbridge.settings import Settings


@contextmanager
def opened_log(settings: Settings) -> Iterator[Log]:
    """Open the log for the time of a command; raises Unreachable when there is none yet, or it does not answer."""
    if settings.log == "embedded" and not settings.log_file.exists():
        raise Unreachable(
            f"there is no log at {settings.log_file}", hint="figbridge run, or name its folder with --data"
        )
    with log_of(settings) as log:
        yield log


@contextmanager
def opened_store(settings: Settings) -> Iterator[AuthorityStore]:
    """Open the authority store for the time of a command; raises Unreachable when there is none yet."""
    if settings.authority is None and not settings.authority_file.exists():
        missing = f"there is no authority store at {settings.authority_file}"
        raise Unreachable(missing, hint="figbridge run, or name its folder with --data")
    with store_of(settings) as store:
        yield store


@contextmanager
def store_of(settings: Settings) -> Iterator[SqlAuthorityStore]:
    """Open the authority store, and make the folder of an embedded one."""
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore

    if settings.authority is None:
        make_folder(settings.data)
    with SqlAuthorityStore(_store_address(settings)) as store:
        yield store


def _store_address(settings: Settings) -> str:
    from sqlalchemy import URL

    at = settings.authority
    if at is None:
        return f"sqlite:///{settings.authority_file}"
    address = URL.create(
        "postgresql+psycopg", at.user, at.secret() or None, at.host, at.port, at.database, query=at.options
    )
    return address.render_as_string(hide_password=False)


@contextmanager
def log_of(settings: Settings) -> Iterator[Log]:
    """Open the log, and make the folder of an embedded one or of copies of the state."""
    make_folder(settings.data)
    log = _sqlite_log(settings) if settings.kafka is None or settings.log == "embedded" else _kafka_log(settings)
    try:
        yield log
    finally:
        log.close()


def _sqlite_log(settings: Settings) -> Log:
    from figbridge.adapters.sqlite.log import SqliteLog

    return SqliteLog(settings.log_file)


def _kafka_log(settings: Settings) -> Log:
    from figbridge.adapters.kafka.config import Cluster
    from figbridge.adapters.kafka.log import KafkaLog
    from figbridge.telemetry.events import LogEvent, tell

    kafka = settings.kafka
    assert kafka is not None
    cluster = Cluster(
        kafka.servers,
        security=kafka.secrets(),
        instance=kafka.instance,
        replication=kafka.replication,
        session_timeout_ms=kafka.session_timeout_ms,
        max_poll_interval_ms=kafka.max_poll_interval_ms,
        transaction_timeout_ms=kafka.transaction_timeout_ms,
        patience_s=kafka.patience_s,
    )
    return KafkaLog(
        cluster,
        settings.data / "state",
        lambda r: tell(
            LogEvent.STATE_RESTORED if r.done == r.total else LogEvent.STATE_RESTORING,
            changelog=r.changelog,
            records=r.done,
            of=r.total,
            per_second=round(r.done / r.seconds) if r.seconds else 0,
        ),
    )


def make_folder(folder: Path) -> None:
    """Make a folder. Raises Unreachable when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreachable(f"{folder} cannot be made: {error.strerror}", hint="choose another with --data") from None
