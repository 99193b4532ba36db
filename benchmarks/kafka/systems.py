"""What is measured: how each system is started, and what must be there before."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.kafka.task import LOGS

HERE = Path(__file__).parent
QUIX = "quixstreams==3.28.1"


@dataclass(frozen=True, slots=True)
class System:
    """One system: its command, and in how many passes of one process it reads everything (a JVM must get warm)."""

    name: str
    command: tuple[str, ...]
    passes: int = 1
    bridge: bool = False
    copies: bool = False
    """It writes every record, not an event for some."""
    processes: int = 1


def ours() -> list[System]:
    """Return the systems that need nothing but this environment."""
    loops = (sys.executable, "-m", "benchmarks.kafka.loops")
    bridge = (sys.executable, "-m", "benchmarks.kafka.bridge")
    return [
        System("passthrough, transactions", (*loops, "passthrough"), copies=True),
        System("figbridge", bridge, bridge=True),
        System("figbridge, two processes", bridge, bridge=True, processes=2),
        System("json + Producer loop", (*loops, "naive")),
    ]


def others(work: Path, java: str) -> list[System]:
    """Build and return the systems of others, those that can be had here; says on stderr which cannot."""
    found = []
    try:
        found.append(System("Quix Streams, exactly once", (str(_quix(work)), str(HERE / "quix.py"))))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  without Quix Streams: {error}", file=sys.stderr)
    try:
        built = _streams(work)
        classes = f"{built}/bench-streams-1.jar:{built}/lib/*"
        command = (java, "-Xmx1g", "-XX:+UseParallelGC", "-cp", classes, "bench.Main")
        found.append(System("Kafka Streams, exactly once v2, tuned", command, passes=4))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  without Kafka Streams: {error}", file=sys.stderr)
    return found


def environment(
    bootstrap: str, groups: list[str], out: str, folder: Path, logs: Sequence[str] = LOGS
) -> dict[str, str]:
    """Return what a system is told."""
    return {
        "BENCH_BOOTSTRAP": bootstrap,
        "BENCH_GROUP": groups[0],
        "BENCH_GROUPS": ",".join(groups),
        "BENCH_LOGS": ",".join(logs),
        "BENCH_OUT": out,
        "BENCH_COMMIT_S": "1.0",
        "BENCH_FOLDER": str(folder),
    }


def _quix(work: Path) -> Path:
    """Install Quix Streams apart: it pins what it needs."""
    python = work / "quix" / "bin" / "python"
    if not python.exists():
        venv.create(work / "quix", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", QUIX], check=True, stdout=sys.stderr)
    return python


def _streams(work: Path) -> Path:
    """Build the Kafka Streams program."""
    built = work / "streams"
    if not (built / "bench-streams-1.jar").exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise OSError("Maven is not installed")
        command = [maven, "-q", "-B", "-f", str(HERE / "streams" / "pom.xml"), "package", f"-Dbuild.root={built}"]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return built
