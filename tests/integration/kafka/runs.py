"""`figbridge run` as processes of one group on one computer, with settings and documents as a user writes them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

SOURCES = Path(__file__).parents[3] / "src"


class Runs:
    """Processes of one group; all are ended with `close`."""

    def __init__(
        self, folder: Path, servers: str, name: str, mappings: Mapping[str, str], document: str = "", **kafka: Any
    ) -> None:
        self.folder = folder
        self.settings = folder / "figbridge.yaml"
        self.running: list[subprocess.Popen[bytes]] = []
        for of in ("mappings", "connect"):
            (folder / of).mkdir()
        for each, text in mappings.items():
            (folder / "mappings" / f"{each}.yaml").write_text(text, encoding="utf-8")
        told: dict[str, Any] = {
            "mappings": str(folder / "mappings"), "data": str(folder / "data"), "log": "kafka",
            "group": name, "topic_prefix": name, "kafka": {"servers": servers, **kafka},
        }  # fmt: skip
        if document:
            (folder / "connect" / "legacy.yaml").write_text(document, encoding="utf-8")
            told["connect"] = {"url": "http://127.0.0.1:1", "documents": str(folder / "connect")}
        self.settings.write_text(yaml.safe_dump(told), encoding="utf-8")

    def start(self) -> int:
        """Start a process; returns its number."""
        number = len(self.running)
        command = [sys.executable, "-m", "figbridge", "run", "--from", "earliest", "--log-format", "json"]
        with self._said(number).open("wb") as said:
            made = subprocess.Popen(
                [*command, "--settings", str(self.settings)], env=_env(), stdout=subprocess.DEVNULL, stderr=said
            )
        self.running.append(made)
        return number

    def held(self, number: int, wait_s: float = 0.1) -> list[str]:
        """Return the source logs that a process said it works on; looks after a moment in which it must not end."""
        self.alive(number, wait_s)
        held: set[str] = set()
        for line in self.words(number).splitlines(keepends=True):
            body = json.loads(line) if line.startswith("{") and line.endswith("\n") else {"event": ""}
            if body["event"] == "sources_taken":
                held |= set(body["logs"])
            elif body["event"] == "sources_given_up":
                held -= set(body["logs"])
        return sorted(held)

    def alive(self, number: int, wait_s: float = 0.1) -> None:
        """Wait a moment, and demand that a process has not ended."""
        with suppress(subprocess.TimeoutExpired):
            self.running[number].wait(wait_s)
            raise AssertionError(f"ended with {self.running[number].returncode}: {self.words(number)}")

    def end(self, number: int) -> tuple[int, float]:
        """Ask a process to end; returns its exit code, and how many seconds it took."""
        began = monotonic()
        self.running[number].terminate()
        return self.running[number].wait(60), monotonic() - began

    def command(self, *words: str) -> tuple[int, Any]:
        """Run another command with the same settings; returns its exit code and what it told."""
        command = [sys.executable, "-m", "figbridge", *words, "--settings", str(self.settings), "-o", "json"]
        done = subprocess.run(command, env=_env(), capture_output=True, check=False)
        return done.returncode, json.loads(done.stdout or b"null")

    def words(self, number: int) -> str:
        """Return everything that a process has said, for who must find out why it did not do as it should."""
        return self._said(number).read_text(encoding="utf-8")

    def close(self) -> None:
        for each in self.running:
            if each.poll() is None:
                each.kill()
            each.wait()

    def _said(self, number: int) -> Path:
        return self.folder / f"run-{number}.log"


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCES)}
