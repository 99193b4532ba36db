"""Open the log and the authority store that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from figbridge.errors import OperationalError, Unreachable
from figbridge.ports import AuthorityStore, Log

if TYPE_CHECKING:  # a command loads what it uses, and no more
    from figbridge.adapters.kafka.restoring import Restoring
    from figbridge.adapters.sql.authority_store import SqlAuthorityStore
    from figbridge.settings import Kafka, Settings
    from figbridge.telemetry.health import Health


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
def log_of(settings: Settings, health: Health | None = None) -> Iterator[Log]:
    """Open the log, and make the folder of an embedded one or of copies of the state. `health` hears of restores."""
    make_folder(settings.data)
    if settings.kafka is None or settings.log == "embedded":
        log = _sqlite_log(settings)
        try:
            yield log
        finally:
            log.close()
        return
    with _kafka_log(settings, settings.kafka, health) as log:
        yield log


def _sqlite_log(settings: Settings) -> Log:
    from figbridge.adapters.sqlite.log import SqliteLog

    return SqliteLog(settings.log_file)


@contextmanager
def _kafka_log(settings: Settings, kafka: Kafka, health: Health | None) -> Iterator[Log]:
    """Open the log on brokers that let this account in; when they are lost, say why if that can be seen."""
    from figbridge.adapters.kafka.config import Cluster
    from figbridge.adapters.kafka.greet import greet, refusal
    from figbridge.adapters.kafka.log import KafkaLog
    from figbridge.telemetry.events import LogEvent, tell
    from figbridge.telemetry.metrics import Metric, note

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
    greet(cluster.client(), cluster.patience_s)

    def restoring(r: Restoring) -> None:
        """Say how a restore goes; a process that restores a large state is not stuck."""
        done, rate = r.done == r.total, round(r.done / r.seconds) if r.seconds else 0
        event = LogEvent.STATE_RESTORED if done else LogEvent.STATE_RESTORING
        tell(event, changelog=r.changelog, records=r.done, of=r.total, per_second=rate)
        if done:
            note(Metric.RESTORED_ENTRIES, r.done)
        if health is not None:
            health.restoring(f"restores its state: {r.done} of {r.total} records, {rate} a second")

    log = KafkaLog(cluster, settings.data / "state", restoring)
    try:
        yield log
    except OperationalError as error:
        why = refusal(cluster.client()) if error.code in ("OPS001", "KAF005", "KAF007") else None
        if why is not None:
            raise why from error
        raise
    finally:
        log.close()


def make_folder(folder: Path) -> None:
    """Make a folder. Raises Unreachable when that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreachable(f"{folder} cannot be made: {error.strerror}", hint="choose another with --data") from None
