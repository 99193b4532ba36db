"""One stage for all kills on brokers: its servers take half a minute to start."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from .stage import Stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Servers of the sandbox with connectors that stream, a shop, and a bridge of which no process runs yet."""
    # Not tmp_path: its parents are closed to the account that PostgreSQL runs under when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="figbridge-faults-"))
    folder.chmod(0o755)
    try:
        with Stage(folder, Random(os.environ.get("FIGBRIDGE_FAULTS_SEED", "1"))) as made:
            yield made
    finally:
        if "FIGBRIDGE_FAULTS_KEEP" not in os.environ:
            shutil.rmtree(folder, ignore_errors=True)
