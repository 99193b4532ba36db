"""Make the databases of the worked example on a sandbox, and write the settings and connector documents for it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import yaml

from figbridge.demo.trial.place import Trial, places
from figbridge.sandbox import Sandbox
from figbridge.sandbox.ports import HOST

_HEAD = """\
# Written by `figbridge sandbox up`, again at each start: {what}
"""


def prepare(box: Sandbox, mappings: Path) -> list[Trial]:
    """Make what is missing of each place that the sandbox's servers allow, and return them.

    The databases keep what they have. The files are written anew: ports may be others than before.
    """
    found = places(box)
    for trial in found:
        _make_databases(trial)
        _make_tables(trial)
        _write(trial, mappings.resolve())
    return found


def commands(trial: Trial) -> list[str]:
    """Return what to call next, in the order of a first trial."""
    told, data = f"--settings {_short(trial.settings)}", f"--on {trial.kind}{_data(trial)}"
    return [
        f"figbridge connectors apply {told}",
        f"figbridge run --from earliest {told}",
        f"figbridge sandbox trade {data}",
        f"figbridge sandbox verify {data}",
        f"figbridge status {told}",
    ]


def _make_databases(trial: Trial) -> None:
    import psycopg
    from psycopg.sql import SQL, Identifier

    with psycopg.connect(trial.box.postgres.url(), autocommit=True) as admin:
        have = {name for (name,) in admin.execute("SELECT datname FROM pg_database")}
        for of in ("legacy", "delivery", "authority"):
            if trial.server(of) is trial.box.postgres and trial.database(of) not in have:
                admin.execute(SQL("CREATE DATABASE {}").format(Identifier(trial.database(of))))


def _make_tables(trial: Trial) -> None:
    """Make the tables of the shop and of the service; a connector is refused tables that do not exist."""
    with trial.shop(Random(0)) as shop, trial.delivery(Random(0)) as delivery:  # noqa: S311 — invented data
        for desk, schema in ((shop, "shop"), (delivery, "delivery")):
            query = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
            found = desk.connection.execute(query, (schema,)).fetchone()
            if found is None:
                desk.create_schema()


def _write(trial: Trial, mappings: Path) -> None:
    box, told = trial.box, f"figbridge … --settings {_short(trial.settings)}"
    trial.documents.mkdir(exist_ok=True)
    for source in ("legacy", "delivery"):
        head = _HEAD.format(what=f"the connector of {source}.")
        _put(trial.documents / f"{source}.yaml", head, _document(trial, source))
    _put(
        trial.settings,
        _HEAD.format(what=told),
        {
            "mappings": str(mappings),
            "data": str(box.folder / f"bridge-{trial.kind}"),
            "log": "kafka",
            "group": f"bridge-{trial.kind}",
            "topic_prefix": trial.prefix,
            "kafka": {"servers": box.bootstrap},
            "connect": {"url": box.connect, "documents": str(trial.documents)},
            "authority": _account(trial, "authority"),
            "sources": {source: _account(trial, source) for source in ("legacy", "delivery")},
        },
    )


def _account(trial: Trial, of: str) -> dict[str, Any]:
    """Return how figbridge itself reaches a database."""
    server = trial.server(of)
    return {
        "host": HOST,
        "port": server.port,
        "user": server.user,
        "password_file": str(server.folder / "password"),
        "database": trial.database(of),
    }


def _document(trial: Trial, source: str) -> dict[str, Any]:
    """Return how Connect reaches a source."""
    box, server = trial.box, trial.server(source)
    database = {"name": trial.database(source)} if server is box.postgres else {}
    return {
        "connector": source,
        "database": {
            "kind": server.name,
            "host": HOST,
            "port": server.port,
            **database,
            "user": box.secret(server.name, "user"),
            "password": box.secret(server.name, "password"),
        },
        "log": {"retention": "7d"},
        "kafka": {"servers": box.bootstrap},
        "heartbeat": "500ms",
    }


def _put(file: Path, head: str, content: dict[str, Any]) -> None:
    file.write_text(head + yaml.safe_dump(content, sort_keys=False, width=100), encoding="utf-8")


def _short(file: Path) -> str:
    """Return a path as a person would type it."""
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def _data(trial: Trial) -> str:
    folder = _short(trial.box.folder)
    return "" if folder == ".sandbox" else f" --data {folder}"
