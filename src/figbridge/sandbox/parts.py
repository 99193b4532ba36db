"""The software that the sandbox runs, fetched once through Maven and kept in a cache.

~/.cache/figbridge/sandbox/          or $XDG_CACHE_HOME/figbridge/sandbox
└── 0123456789ab/                    one folder for each content of connect/pom.xml
    ├── kafka/                       the libraries of Kafka and Kafka Connect
    ├── connectors/                  Debezium's plugins, each version in a folder of its own
    ├── lossy/                       a Debezium that loses rows, for the campaign that finds them
    └── mariadb/                     MariaDB's binaries
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from figbridge.errors import Unreachable
from figbridge.sandbox import java, maven, pom
from figbridge.sandbox.maven import Tell

PARTS = ("kafka", "connectors", "lossy", "mariadb")

# About as many bytes as Maven fetches for each when ~/.m2 is empty: for the time left that a person is shown.
SIZES = {"kafka": 75_000_000, "connectors": 35_000_000, "lossy": 6_000_000, "mariadb": 150_000_000}


def silent(_: maven.Download) -> None:
    """Tell nobody."""


def cache() -> Path:
    """Return the folder of what was fetched for the versions of today."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(pom.path().read_bytes()).hexdigest()[:12]
    return base / "figbridge" / "sandbox" / digest


def missing(names: Iterable[str]) -> list[str]:
    """Return those of some parts that are not in the cache yet."""
    return [name for name in names if not (cache() / name).is_dir()]


def ensure(names: Iterable[str], tell: Tell = silent) -> Path:
    """Fetch the parts that are not in the cache yet, and return the cache's folder.

    Two processes that need the same part fetch it once: the second waits. A part is there whole or not at all.
    Raises Unreachable when Java or Maven is missing, or Maven fails.
    """
    wanted, folder = list(names), cache()
    if not missing(wanted):
        return folder
    found = java.find()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if absent := missing(wanted):
                _fetch(absent, folder, found, tell)
    except OSError as error:
        raise Unreachable(
            f"The cache {folder} cannot be used: {error.strerror}.", hint="set XDG_CACHE_HOME to a folder you may use"
        ) from error
    return folder


def _fetch(names: list[str], folder: Path, found: java.Java, tell: Tell) -> None:
    part = Path(tempfile.mkdtemp(prefix="part-", dir=folder))
    part.chmod(0o755)
    try:
        maven.run(pom.path(), names, part, found, tell)
        for name in names:
            if name == "mariadb":
                _make_executable(part / name)
            (part / name).rename(folder / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _make_executable(folder: Path) -> None:
    """Give MariaDB's programs the right to run, which a jar does not keep."""
    for name in ("bin", "scripts"):
        for place in folder.rglob(name):
            for program in place.iterdir():
                program.chmod(0o755)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the cache's lock; the kernel lets go of it when its holder dies."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
