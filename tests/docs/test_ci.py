"""What a build server runs says at its end what happened, and ends as `make test` did."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from .pages import ROOT

PASSES = """\
== fast tests: no server
........                                                                 [100%]
=========================== short test summary info ============================
SKIPPED [1] tests/x.py:1: no engine
================= 1200 passed, 1 skipped in 61.20s (0:01:01) ==================
== tests on PostgreSQL and Debezium
======================= 80 passed, 1 warning in 90.00s ========================
"""
FAILS = """\
=========================== short test summary info ============================
FAILED tests/x.py::test_it - AssertionError
================== 1 failed, 1199 passed, 2 errors in 61.20s ==================
make: *** [Makefile:58: test-fast] Error 1
"""


@pytest.mark.parametrize(
    ("output", "code", "last"),
    [
        (PASSES, 0, "==== 1280 passed, 1 skipped in 151s, ok ===="),
        (FAILS, 2, "==== 1 failed, 1199 passed, 2 error in 61s, NOT OK: make test ended with 2 ===="),
        ("ruff found something\n", 2, "==== no tests ran in 0s, NOT OK: make test ended with 2 ===="),
    ],
    ids=["passes", "fails", "stops at lint"],
)
def test_the_last_line_sums_up_and_the_exit_code_is_honest(tmp_path: Path, output: str, code: int, last: str) -> None:
    """Each stage's own summary is repeated at the end; a failure cannot hide in a pipe."""
    (tmp_path / "output").write_text(output)
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\n[ "$*" = test ] || exit 99\ncat {tmp_path}/output\nexit {code}\n')
    make.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci" / "run"], capture_output=True, text=True, env=env, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == last
    stages = [line for line in output.splitlines() if line.startswith("=") and " in " in line]
    assert all(line in lines[lines.index("== what each stage said") :] for line in stages)
