"""Real servers for tests: containers where an engine for containers answers, else the sandbox. Tests do not know which.

This is the one place that chooses. Both kinds have the versions of connect/pom.xml.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from figbridge.sandbox import Sandbox, process
from figbridge.sandbox.ports import free_port

ROOT = Path(__file__).parents[2]
KINDS = ("kafka", "connect", "postgres", "mariadb")


class Database(NamedTuple):
    """A database whose user may do everything.

    `host` and `port` are for the test, `inside_host` and `inside_port` for connectors, whose settings name `user_ref`
    and `password_ref` instead of what they stand for.
    """

    host: str
    port: int
    user: str
    password: str
    inside_host: str
    inside_port: int
    user_ref: str
    password_ref: str


class Servers(ABC):
    """Servers that are started when a test first asks for them, and all stopped at the end of the session."""

    @abstractmethod
    def start(self, *kinds: str) -> None:
        """Start servers of some kinds, `kafka`, `connect`, `postgres`, `mariadb`, unless they run."""

    @abstractmethod
    def stop(self) -> None:
        """Stop all and delete their data."""

    bootstrap: str
    """The brokers' addresses, for the test."""
    inside_bootstrap: str
    """The brokers' addresses, for connectors."""
    connect: str
    """The URL of Kafka Connect's REST interface."""
    postgres: Database
    mariadb: Database


class LocalServers(Servers):
    """Servers of the sandbox."""

    def __init__(self) -> None:
        # Not tmp_path: its parents are closed to the account that PostgreSQL runs under when the tests run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="figbridge-sandbox-"))
        self.folder.chmod(0o755)
        self.box = Sandbox(self.folder)

    def start(self, *kinds: str) -> None:
        self.box = Sandbox(self.folder, kinds)
        self.box.up()
        if "kafka" in self.box.plan.kinds:
            self.bootstrap = self.inside_bootstrap = self.box.bootstrap
        if "connect" in self.box.plan.kinds:
            self.connect = self.box.connect
        for name in ("postgres", "mariadb"):
            if name in self.box.plan.kinds:
                setattr(self, name, self._database(name))

    def stop(self) -> None:
        self.box.reset()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _database(self, name: str) -> Database:
        found = self.box.postgres if name == "postgres" else self.box.mariadb
        here = ("127.0.0.1", found.port)
        refs = (self.box.secret(name, "user"), self.box.secret(name, "password"))
        return Database(*here, found.user, found.password, *here, *refs)


class Containers(Servers):
    """Services of docker-compose.yml, in a project of their own with ports and passwords of their own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="figbridge-compose-"))
        self._secrets = self._folder / "secrets"
        subprocess.run([ROOT / "deploy" / "make-secrets", self._secrets], check=True, capture_output=True)
        names = ("KAFKA_PORT", "CONNECT_PORT", "POSTGRES_PORT", "MARIADB_PORT")
        self._ports = {name: free_port() for name in names}
        words = {**self._ports, "COMPOSE_PROJECT_NAME": self._folder.name, "SECRETS": self._secrets}
        env = self._folder / "env"
        env.write_text("".join(f"{name}={value}\n" for name, value in words.items()), encoding="utf-8")
        self._env = str(env)
        self.bootstrap = f"localhost:{self._ports['KAFKA_PORT']}"
        self.inside_bootstrap = "kafka:19092"
        self.connect = f"http://localhost:{self._ports['CONNECT_PORT']}"
        self.postgres = self._database("postgres", "postgres", self._ports["POSTGRES_PORT"], 5432)
        self.mariadb = self._database("mariadb", "root", self._ports["MARIADB_PORT"], 3306)

    def start(self, *kinds: str) -> None:
        self._compose(kinds).start()

    def stop(self) -> None:
        self._compose(()).stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _compose(self, kinds: tuple[str, ...]) -> Any:
        from testcontainers.compose import DockerCompose

        return DockerCompose(ROOT, build=True, wait=True, env_file=self._env, services=list(kinds))

    def _database(self, name: str, user: str, port: int, inside: int) -> Database:
        password = (self._secrets / f"{name}-password").read_text(encoding="utf-8")
        file = f"${{file:/run/secrets/{name}.properties:"
        return Database("localhost", port, user, password, name, inside, f"{file}user}}", f"{file}password}}")


@contextmanager
def servers() -> Iterator[Servers]:
    """Give the servers of a session, none of them started yet."""
    if engine_answers():
        containers = Containers()
        try:
            yield containers
        finally:
            containers.stop()
        return
    local = LocalServers()
    with process.guarded(local.folder):  # tests are killed, too
        try:
            yield local
        finally:
            local.stop()


def engine_answers() -> bool:
    """Say whether an engine for containers answers."""
    if shutil.which("docker") is None:
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
