"""What is wrong with a database, told by the commands that a person calls: one sentence, a code, the next step."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.support import called
from figbridge.adapters.sqlite.log import SqliteLog

from .test_doctor_postgres import ROOT, Patient
from .test_doctor_postgres import patient as patient

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(300)]

LOG = "figbridge.legacy.log"


@pytest.fixture
def settings(patient: Patient, tmp_path: Path) -> Any:
    """Give a writer of the settings of a bridge over the patient, with changes of its account."""

    def write(**account: Any) -> Path:
        given = {
            "mappings": str(ROOT / "mappings"),
            "data": str(tmp_path / "data"),
            "sources": {"legacy": patient.account | account},
        }
        file = tmp_path / "figbridge.yaml"
        file.write_text(json.dumps(given), encoding="utf-8")
        return file

    return write


def refused(file: Path, code: str, cause: str, ended: int, *, secret: str = "") -> None:
    """Run the bridge; it must end with two lines: the error, and what to do."""
    said = called("run", "--settings", file)
    lines = [line for line in said.err.splitlines() if line.startswith(("error: ", "hint: "))]
    assert said.code == ended, said
    assert len(lines) == 2, said.err
    assert lines[0].startswith(f"error: {code} ")
    assert cause in lines[0]
    assert "Traceback" not in said.err
    assert not secret or secret not in said.err + said.out


def streamed(file: Path, data: Path) -> None:
    """Run the bridge until its snapshot is in the log, and stop it in order."""
    command = [sys.executable, "-m", "figbridge", "run", "--settings", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "bridge_started" in line or "started" in line:
                break
        log = SqliteLog(data / "log.db")
        try:
            while not log.topics().get("figbridge.legacy.offsets") or not sum(
                log.ends(["figbridge.legacy.offsets"]).values()
            ):
                assert process.poll() is None
        finally:
            log.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_wrong_password_and_a_gone_server_are_one_sentence(patient: Patient, settings: Any, tmp_path: Path) -> None:
    """The database's own reason is in it, the password is not, and no record was made up."""
    refused(settings(password="not-the-word"), "SRC001", "password authentication failed", 1, secret="not-the-word")
    refused(settings(port=1), "SRC001", "Connection refused", 1)
    log = SqliteLog(tmp_path / "data" / "log.db")
    assert log.topics() == {}
    log.close()


def test_a_missing_table_is_one_sentence(patient: Patient, settings: Any) -> None:
    """The bridge does not stream what its mappings could only park."""
    patient.sql("ALTER TABLE shop.shipments RENAME TO parcels")
    refused(settings(), "DRF001", "there is no table shop.shipments", 4)
    assert patient.sql("SELECT 1 FROM pg_replication_slots WHERE database = current_database()") == []


def test_a_missing_slot_is_not_made_up_for(patient: Patient, settings: Any, tmp_path: Path) -> None:
    """What committed since the slot went is in no log: the bridge says so, and makes no new slot over the gap. A
    publication that lost a table is given it back before anything is read."""
    file = settings()
    patient.sql("ALTER PUBLICATION figbridge_legacy DROP TABLE shop.stock")
    streamed(file, tmp_path / "data")
    published = patient.sql("SELECT tablename FROM pg_publication_tables WHERE pubname = 'figbridge_legacy'")
    assert ("stock",) in published
    patient.sql("SELECT pg_drop_replication_slot('figbridge_legacy')")
    refused(file, "SRC002", "is gone", 4)
    assert patient.sql("SELECT 1 FROM pg_replication_slots WHERE database = current_database()") == []
