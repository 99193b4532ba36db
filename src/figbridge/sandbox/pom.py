"""Read connect/pom.xml, the one place that names versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from figbridge.errors import Unreachable


def path() -> Path:
    """Return the file: beside this module in an installed package, in connect/ of a clone. Raises Unreachable."""
    for found in (Path(__file__).with_name("pom.xml"), Path(__file__).parents[3] / "connect" / "pom.xml"):
        if found.exists():
            return found
    raise Unreachable("connect/pom.xml is missing.", hint="install figbridge again, or work in a whole clone")


def versions(file: Path | None = None) -> Mapping[str, str]:
    """Return the versions by their name, such as `kafka` or `debezium.postgres`."""
    text = (file or path()).read_text(encoding="utf-8")
    return dict(re.findall(r"<([a-z0-9.]+)\.version>([^<$]+)</\1\.version>", text))
