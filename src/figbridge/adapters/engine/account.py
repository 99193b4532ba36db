"""Choose the account that PostgreSQL runs under: the server refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

from figbridge.errors import Unreachable

CANDIDATES = ("postgres", "nobody", "daemon")


class Account(NamedTuple):
    """An account to run a server under; `uid` -1 means the account of this process."""

    name: str
    uid: int
    gid: int

    def run(self) -> dict[str, object]:
        """Return the arguments for subprocess that switch to this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.uid >= 0 else {}


def choose() -> Account:
    """Choose the account: this one, or an unprivileged one for root. Raises Unreachable when root finds none."""
    if os.geteuid() != 0:
        return Account("", -1, -1)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Unreachable(
        "PostgreSQL does not run as root and there is no unprivileged account.", hint="run as an ordinary user"
    )


def give(account: Account, path: Path) -> None:
    """Make an account the owner of a file or of a whole folder."""
    if account.uid < 0:
        return
    os.chown(path, account.uid, account.gid)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)


def require_reach(account: Account, path: Path) -> None:
    """Check that an account can pass through every folder above a path.

    Raises Unreachable naming the first that it may not pass.
    """
    if account.uid < 0:
        return
    for folder in reversed(path.resolve().parents):
        facts = folder.stat()
        if facts.st_uid == account.uid:
            passes = facts.st_mode & stat.S_IXUSR
        elif facts.st_gid == account.gid:
            passes = facts.st_mode & stat.S_IXGRP
        else:
            passes = facts.st_mode & stat.S_IXOTH
        if not passes:
            raise Unreachable(
                f"PostgreSQL runs as {account.name}, which may not pass through {folder}.",
                hint=f"use a folder outside it, run as an ordinary user, or: chmod o+x {folder}",
                folder=str(folder),
            )
