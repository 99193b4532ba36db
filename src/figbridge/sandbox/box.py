"""The sandbox as a whole: make its servers, start and stop them in the right order, and say how they are.

folder/
├── sandbox.json   what it consists of (plan.py)
├── secrets/       user and password of each database, for `${file:…}` references of connectors
├── kafka-1/ …     one folder for each server (server.py)
└── lock           held by the command that changes something
"""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from figbridge.errors import Refused, Unreachable
from figbridge.sandbox import parts, process
from figbridge.sandbox.broker import Broker
from figbridge.sandbox.jvm import Jvm, properties
from figbridge.sandbox.mariadb import MariaDb
from figbridge.sandbox.maven import Tell
from figbridge.sandbox.parts import silent
from figbridge.sandbox.plan import FILE, Plan, complete, load, save
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.postgres import Postgres
from figbridge.sandbox.server import Server, State
from figbridge.sandbox.worker import Worker

S = TypeVar("S", bound=Server)


class Seen(NamedTuple):
    """What was seen of one server: how it is, its process, where it answers and where it logs."""

    name: str
    state: State
    pid: int | None
    address: str
    log: str


class Sandbox:
    """Own the servers of one folder. As a context manager it starts them, and stops them at the end, also when the
    process is killed before it.

    What the folder's plan has stays, and what is asked here comes to it. `up` starts the kinds that are asked, with
    those that they need; all of the plan when none is. What it starts runs until `down`, in whatever process that is
    called. Raises Refused when the folder's plan forbids what is asked.
    """

    def __init__(
        self,
        folder: Path,
        kinds: Iterable[str] = (),
        *,
        brokers: int | None = None,
        workers: int | None = None,
        durable: bool = False,
        lossy: bool = False,
        chosen: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        before = load(self.folder) or Plan(kinds=(), durable=durable)
        self._before = before
        kinds = tuple(kinds)
        self.plan = before.grown(kinds, brokers, workers, lossy=lossy).with_ports(chosen or {})
        self._servers = self._make()
        asked = complete(kinds) or set(self.plan.kinds)
        self._asked = {name for name in self._servers if name.partition("-")[0] in asked}
        self._ending = ExitStack()

    def __enter__(self) -> Sandbox:
        with ExitStack() as stack:
            stack.enter_context(process.guarded(self.folder))
            stack.callback(self.down)
            self.up()
            self._ending = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @property
    def bootstrap(self) -> str:
        """Return the addresses of all brokers, as Kafka's clients take them."""
        return ",".join(f"{HOST}:{self.plan.ports[f'kafka-{n}']}" for n in range(1, self.plan.brokers + 1))

    @property
    def connect(self) -> str:
        """Return the URL of the first worker's REST interface."""
        return f"http://{HOST}:{self.plan.ports['connect-1']}"

    @property
    def postgres(self) -> Postgres:
        """Return the PostgreSQL server."""
        return self._one("postgres", Postgres)

    @property
    def mariadb(self) -> MariaDb:
        """Return the MariaDB server."""
        return self._one("mariadb", MariaDb)

    @property
    def secrets(self) -> Path:
        """Return the folder with user and password of each database, one file each."""
        return self.folder / "secrets"

    def server(self, name: str) -> Server:
        """Return one server by its name, such as `kafka-1`. Raises Refused when there is none."""
        if name not in self._servers:
            known = ", ".join(self._servers) or "none"
            raise Refused(f"There is no server {name} in {self.folder}.", hint=f"its servers: {known}")
        return self._servers[name]

    def secret(self, database: str, name: str) -> str:
        """Return the reference by which a connector's settings name a database's `user` or `password`."""
        return f"${{file:{self.secrets / database}.properties:{name}}}"

    def to_fetch(self) -> int:
        """Return about how many bytes `up` would fetch."""
        return sum(parts.SIZES[name] for name in parts.missing(self.plan.parts()))

    def fetch(self, tell: Tell = silent) -> Path:
        """Fetch what is missing, and return the folder that has it. `tell` hears how it goes. Raises Unreachable."""
        return parts.ensure(self.plan.parts(), tell)

    def up(self, note: Callable[[str], None] = lambda _: None) -> list[str]:
        """Fetch what is missing, start every asked server that does not run, and wait until they can be used.

        `note` hears in a sentence what is done. Returns the names of those that were started. Raises Unreachable; what
        was started then runs on, and another `up` mends the rest.
        """
        with self._alone():
            self.fetch()
            self._check_ports()
            save(self.folder, self.plan)
            started = self._start([s for s in self._first() if s.name in self._asked], note)
            self._write_secrets()
            return started + self._start([s for s in self._workers() if s.name in self._asked], note)

    def down(self) -> list[str]:
        """Stop every server that runs, and return their names; those that hung are killed."""
        with self._alone():
            running = [server.name for server in self._servers.values() if server.pid is not None]
            # All at once: three brokers stopped one by one lose their majority, and the last would wait for it.
            for stage in (self._workers(), self._first()):
                with ThreadPoolExecutor(max_workers=len(stage) or 1) as stopping:
                    list(stopping.map(lambda server: server.stop(), stage))
            return running

    def status(self) -> list[Seen]:
        """Look how every server is; those that run are asked."""
        return [Seen(s.name, s.state(), s.pid, s.address, str(s.log)) for s in self._servers.values()]

    def reset(self) -> list[str]:
        """Stop every server and delete the folder with all data. Returns the names of those that were stopped."""
        stopped = self.down()
        if (self.folder / FILE).exists():  # never a folder that is not a sandbox's
            shutil.rmtree(self.folder)
        return stopped

    def _make(self) -> dict[str, Server]:
        plan, cache = self.plan, parts.cache()
        jvm = Jvm(cache / "kafka")
        copies = min(3, plan.brokers)
        made: list[Server] = []
        members = {n: plan.ports[f"controller-{n}"] for n in range(1, plan.brokers + 1) if "kafka" in plan.kinds}
        plugins = [cache / "connectors", *([cache / "lossy"] if plan.lossy else [])]
        for name in plan.names():
            kind, _, number = name.partition("-")
            folder, port = self.folder / name, plan.ports[name]
            if kind == "kafka":
                made.append(Broker(folder, jvm=jvm, number=int(number), port=port, members=members))
            elif kind == "postgres":
                made.append(Postgres(folder, port=port, durable=plan.durable))
            elif kind == "mariadb":
                made.append(MariaDb(folder, binaries=cache / "mariadb", port=port, durable=plan.durable))
            else:
                made.append(
                    Worker(
                        folder,
                        jvm=jvm,
                        plugins=plugins,
                        bootstrap=self.bootstrap,
                        copies=copies,
                        secrets=self.secrets,
                        number=int(number),
                        port=port,
                    )
                )
        return {server.name: server for server in made}

    def _first(self) -> list[Server]:
        """Return what must run before Connect."""
        return [server for server in self._servers.values() if not isinstance(server, Worker)]

    def _workers(self) -> list[Server]:
        return [server for server in self._servers.values() if isinstance(server, Worker)]

    def _start(self, servers: list[Server], note: Callable[[str], None]) -> list[str]:
        """Start all, then wait for each: they come up side by side."""
        began = time.monotonic()
        started = [server for server in servers if server.begin()]
        for server in servers:
            server.wait_ready()
            if server in started:
                note(f"{server.name} is ready after {time.monotonic() - began:.1f} s")
        return [server.name for server in started]

    def _one(self, name: str, kind: type[S]) -> S:
        found = self.server(name)
        assert isinstance(found, kind)
        return found

    def _check_ports(self) -> None:
        """Refuse before anything is started: a port that is taken, or a new one for a server that runs."""
        for server in self._servers.values():
            if server.pid is None:
                if server.name in self._asked:
                    server.check_port()
            elif self._before.ports.get(server.name, server.port) != server.port:
                raise Refused(f"{server.name} runs on another port.", hint="figbridge sandbox down, then up")

    def _write_secrets(self) -> None:
        """Write user and password of each database to where the workers' references lead."""
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        for server in self._servers.values():
            if isinstance(server, Postgres | MariaDb):
                file = self.secrets / f"{server.name}.properties"
                file.touch(mode=0o600)
                file.write_text(properties({"user": server.user, "password": server.password}), encoding="utf-8")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the sandbox's lock. Raises Refused when another command holds it; the kernel frees it at its death."""
        if not self.plan.kinds:
            yield
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise Refused(
                        f"Another command works on the sandbox in {self.folder}.", hint="wait until it has ended"
                    ) from error
                yield
        except PermissionError as error:
            raise Unreachable(
                f"The folder {self.folder} cannot be used: {error.strerror}.", hint="choose another with --data"
            ) from error
