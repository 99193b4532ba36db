"""Run Maven on connect/pom.xml, and tell how its downloads go."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from figbridge.errors import Unreachable
from figbridge.sandbox.java import Java

HINT = "install Maven (Debian: maven); it fetches Kafka, Debezium and MariaDB once, into ~/.m2"

_EVERY_S = 0.2
_UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_NOT_HAD = re.compile(r"(Could not (?:transfer|find) artifact \S+)")
_DONE = re.compile(r"Downloaded from \S+: \S+ \(([\d.]+) ([kMG]?B)")
_UNDER_WAY = re.compile(r"(?:([\d.]+)(?: ([kMG]?B))?/)?([\d.]+) ([kMG]?B)")


class Download(NamedTuple):
    """How far a download is: bytes that have come, files that are complete, seconds since it began."""

    bytes: int
    files: int
    seconds: float


Tell = Callable[[Download], None]


def run(pom: Path, profiles: Sequence[str], folder: Path, java: Java, tell: Tell) -> None:
    """Put what some profiles of the pom name into a folder. Raises Unreachable with what Maven said."""
    program = shutil.which("mvn")
    if program is None:
        raise Unreachable("Maven is not installed.", hint=HINT)
    words = [program, "-f", str(pom), "-P", ",".join(profiles), "process-resources", f"-Dparts={folder}"]
    words += ["--no-snapshot-updates", "-Dstyle.color=never"]
    with subprocess.Popen(  # noqa: S603
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "JAVA_HOME": str(java.home)},
    ) as maven:
        assert maven.stdout is not None
        errors = _follow(maven.stdout, tell)
    if maven.returncode != 0:
        raise Unreachable(
            f"Maven failed: {cause(errors)}.",
            hint="a computer without network needs ~/.m2 from one that has it, or a mirror in ~/.m2/settings.xml",
        )


def _follow(out: IO[bytes], tell: Tell) -> list[str]:
    """Read Maven's output to its end, tell of its downloads, and return its errors."""
    began = told = time.monotonic()
    done = files = 0
    errors: list[str] = []
    for line in _lines(out):
        now = time.monotonic()
        if found := _DONE.search(line):
            done, files = done + _bytes(found[1], found[2]), files + 1
        elif line.startswith("[ERROR]"):
            errors.append(line.removeprefix("[ERROR]").strip())
        elif line.startswith("Progress") and now - told > _EVERY_S:
            told = now
            tell(Download(done + under_way(line), files, now - began))
    if files:
        tell(Download(done, files, time.monotonic() - began))
    return [error for error in errors if error]


def cause(errors: Sequence[str]) -> str:
    """Return what matters of Maven's errors: what could not be had, and the last of the reasons it strings together."""
    if not errors:
        return "it gave no reason"
    first = errors[0].partition(" -> [Help")[0]
    if found := _NOT_HAD.search(first):
        return f"{found[1]}: {first.rpartition('): ')[2]}".rstrip(".")
    return first.rstrip(".")[:300]


def under_way(line: str) -> int:
    """Return the bytes that a line `Progress (2): 1.2/5.0 MB | 8 kB` says have come."""
    total = 0
    for part in line.partition(":")[2].split("|"):
        if found := _UNDER_WAY.search(part):
            total += _bytes(found[1], found[2] or found[4]) if found[1] else _bytes(found[3], found[4])
    return total


def _bytes(number: str, unit: str) -> int:
    return int(float(number) * _UNITS[unit])


def _lines(out: IO[bytes]) -> Iterator[str]:
    """Yield lines; Maven writes its progress over and over with a carriage return."""
    rest = b""
    while chunk := out.read1(65_536) if hasattr(out, "read1") else out.read(65_536):
        *whole, rest = re.split(rb"[\r\n]+", rest + chunk)
        yield from (line.decode(errors="replace") for line in whole)
    yield rest.decode(errors="replace")
