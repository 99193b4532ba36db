"""The authority store in a database: readers hold the head shared, a grant holds it alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from figbridge.adapters.sql import migrate as migrations
from figbridge.adapters.sql.dialect import alone, dialect_of, engine_for
from figbridge.adapters.sql.rows import cut_rows, epochs_of, grant_of, grant_row, tenure_row
from figbridge.adapters.sql.tables import CUTS, GRANTS, HEAD, TENURES
from figbridge.domain.authority import GENESIS, Authority, Epoch, Grant
from figbridge.domain.granting import objection_to
from figbridge.errors import InvariantError, Refused, Unreachable
from figbridge.ports import CutReader


class _Held(threading.local):
    """What this thread holds shared; a read inside goes through it, since another would wait behind a waiting grant."""

    connection: Connection | None = None
    version: int = 0


class SqlAuthorityStore:
    """Keep authority in SQLite or PostgreSQL.

    `url` names the driver: sqlite+pysqlite:///FILE or postgresql+psycopg://…; a file of its own on SQLite, since a
    grant reads the logs while it holds the whole file. `wait_s` bounds, in seconds, the wait for a lock.
    Nothing else in a process may open and close the SQLite file: that would drop the locks that the process holds.
    """

    def __init__(self, url: str, wait_s: float = 30.0) -> None:
        self.engine: Engine = engine_for(url, wait_s)
        self._wait_s = wait_s
        self._dialect = dialect_of(self.engine.dialect.name)
        self._address = self.engine.url.render_as_string(hide_password=True)
        self._held = _Held()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()

    def migrate(self) -> None:
        """Bring the tables to this program's version. Raises Unreachable, and Refused when they are newer."""
        with self._reaching():
            migrations.migrate(self.engine)

    def version(self) -> int:
        """Return the seq of the newest grant, 0 without any. Raises Unreachable."""
        with self.shared() as version:
            return version

    def load(self) -> Authority:
        """Read the derived table afresh; compare `version` first. Raises Unreachable: hold, never guess."""
        with self._reading() as connection, self._reaching():
            head = connection.execute(select(HEAD)).one()
            tenures = connection.execute(select(TENURES).order_by(TENURES.c.seq)).all()
            cuts = connection.execute(select(CUTS)).all()
        try:
            return Authority.of_epochs(head.version, head.hash, epochs_of(tenures, cuts))
        except ValueError as unknown:
            raise Unreachable(
                f"the authority store at {self._address} holds what this program cannot read: {unknown}",
                hint="a newer figbridge or a hand wrote it; verify the store",
            ) from unknown

    def history(self) -> Sequence[Grant]:
        """Return every grant, oldest first, as stored (not verified). Raises Unreachable."""
        with self._reading() as connection, self._reaching():
            return [grant_of(row) for row in connection.execute(select(GRANTS).order_by(GRANTS.c.seq))]

    @contextmanager
    def shared(self) -> Iterator[int]:
        """Hold the head shared and give its version; reads of this thread go through it. Raises Unreachable.

        Raises Unreachable at the end, too, when the database went away meanwhile: then a grant may have come between.
        Do not wait inside for another thread that needs the store: it may stand behind a waiting grant.
        """
        if self._held.connection is not None:
            yield self._held.version
            return
        with self._dialect.gate(self.engine, self._wait_s), self._transaction(self.engine) as connection:
            with self._reaching():
                version = connection.execute(select(HEAD.c.version).with_for_update(read=True)).scalar_one()
            self._held.connection, self._held.version = connection, version
            try:
                yield version
            finally:
                self._held.connection = None

    def grant(self, draft: Grant, cuts: CutReader) -> Grant:
        """Append a grant under the exclusive lock: lock, then read the cuts, then write. Returns it as chained.

        Raises Refused with nothing written (domain/granting.py says when), Unreachable when the lock is not given.
        """
        if self._held.connection is not None:
            raise InvariantError("a grant inside shared() would wait for itself")
        with self._transaction(alone(self.engine)) as connection:
            with self._reaching():
                self._dialect.lock_head(connection)
                seq, previous = self._last_link(connection)
                epochs = self._epochs(connection, draft)
            begins = tuple(cuts())
            current = epochs[-1].tenure if epochs else None
            objection = objection_to(draft, begins, current, [c for e in epochs for c in e.cuts])
            if objection is not None:
                raise Refused(objection.why, hint=objection.hint)
            epoch = current.epoch + 1 if current else 1
            link = draft.chained(seq=seq + 1, epoch=epoch, cuts=begins, previous=previous)
            with self._reaching():
                self._append(connection, link)
        return link

    def _last_link(self, connection: Connection) -> tuple[int, str]:
        head = connection.execute(select(HEAD)).one()
        last = connection.execute(select(GRANTS.c.seq, GRANTS.c.hash).order_by(GRANTS.c.seq.desc()).limit(1)).first()
        ends = (last.seq, last.hash) if last else (0, GENESIS)
        if ends != (head.version, head.hash):
            raise Refused(
                f"the head is at grant {head.version} and the log of authority ends otherwise",
                hint="somebody changed the store; verify it",
            )
        return head.version, head.hash

    def _epochs(self, connection: Connection, draft: Grant) -> tuple[Epoch, ...]:
        mine = (GRANTS.c.fact == draft.cell.fact) & (GRANTS.c.scope == draft.cell.scope)
        rows = connection.execute(select(GRANTS).where(mine).order_by(GRANTS.c.seq))
        return Authority.of(grant_of(row) for row in rows).epochs(draft.cell)

    def _append(self, connection: Connection, link: Grant) -> None:
        connection.execute(insert(GRANTS), grant_row(link))
        connection.execute(insert(TENURES), tenure_row(link))
        if link.cuts:
            connection.execute(insert(CUTS), cut_rows(link))
        connection.execute(update(HEAD).values(version=link.seq, hash=link.hash))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self.shared():
            connection = self._held.connection
            assert connection is not None
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with self._reaching():
            connection = engine.connect()
        try:
            with self._reaching():
                connection.begin()
            yield connection  # an exception from here leaves without commit: closing rolls back
            with self._reaching():
                connection.commit()
        finally:
            try:
                connection.close()
            except SQLAlchemyError:  # the database is gone, and has rolled back by itself: what failed before counts
                if not connection.closed:
                    connection.invalidate()

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            what, hint = self._dialect.trouble(error)
            raise Unreachable(f"the authority store at {self._address} {what}", hint=hint) from error
