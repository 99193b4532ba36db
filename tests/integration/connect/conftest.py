"""The shop on a real PostgreSQL and on a real MariaDB, each with its connector documents and settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql
import pytest

from figbridge.adapters.connect.broker import KafkaBroker
from figbridge.cli.main import run
from figbridge.demo.delivery import SCHEMA as DELIVERY
from figbridge.demo.monolith.dialect import MARIADB

if TYPE_CHECKING:
    from support.servers import Database, Servers

ROOT = Path(__file__).parents[3]
_numbers = count(1)

DOCUMENT = """\
connector: {name}
database:
  kind: {kind}
  host: {host}
  port: {port}
{more}  user: "{user}"
  password: "{password}"
log: {{retention: 1d}}
kafka: {{servers: "{kafka}"}}
heartbeat: 500ms
{signals}"""


class Shop:
    """One shop: its database, its documents, and `figbridge connectors` over them."""

    def __init__(self, folder: Path, servers: Servers, kind: str) -> None:
        self.folder, self.servers, self.kind = folder, servers, kind
        self.prefix = f"test{next(_numbers)}"
        self.database: Database = getattr(servers, kind)
        self.name = f"{self.prefix}_shop" if kind == "postgres" else "shop"
        self.broker = KafkaBroker({"bootstrap.servers": servers.bootstrap})
        (folder / "connect").mkdir()
        (folder / "password").write_text(self.database.password, encoding="utf-8")
        self.write()

    @property
    def log(self) -> str:
        return f"{self.prefix}.legacy.log"

    @property
    def connector(self) -> str:
        return f"{self.prefix}-legacy"

    def write(self, *, heartbeat: str = "500ms", sources: bool = True) -> None:
        """Write the documents and the settings."""
        at, servers = self.database, self.servers
        text = DOCUMENT.format(
            name="legacy",
            kind=self.kind,
            host=at.inside_host,
            port=at.inside_port,
            more=f"  name: {self.name}\n" if self.kind == "postgres" else "",
            user=at.user_ref,
            password=at.password_ref,
            kafka=servers.inside_bootstrap,
            signals="signals: shop.figbridge_signal\n" if self.kind == "mariadb" else "",
        ).replace("500ms", heartbeat)
        (self.folder / "connect" / "legacy.yaml").write_text(text, encoding="utf-8")
        account = {
            "host": at.host, "port": at.port, "user": at.user, "database": self.name,
            "password_file": str(self.folder / "password"),
        }  # fmt: skip
        settings = {
            "mappings": str(ROOT / "mappings"),
            "topic_prefix": self.prefix,
            "sources": {"legacy": account} if sources else {},
            "connect": {
                "url": servers.connect,
                "documents": str(self.folder / "connect"),
            },
            "kafka": {"servers": servers.bootstrap},
        }
        (self.folder / "figbridge.yaml").write_text(json.dumps(settings), encoding="utf-8")

    def call(self, *words: str) -> int:
        """Run `figbridge connectors …` in this process; what it says is for capsys."""
        return int(run(["connectors", *words, "--settings", str(self.folder / "figbridge.yaml")]))

    def sql(self, *statements: str) -> list[Any]:
        """Run statements, each committed by itself; return the rows of the last."""
        at = self.database
        if self.kind == "postgres":
            with psycopg.connect(
                host=at.host, port=at.port, user=at.user, password=at.password, dbname=self.name, autocommit=True
            ) as connection:
                for statement in statements:
                    done = connection.execute(statement)
                return done.fetchall() if done.description else []
        with (
            pymysql.connect(host=at.host, port=at.port, user=at.user, password=at.password, autocommit=True) as maria,
            maria.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def rows(self, table: str, op: str) -> list[dict[str, Any]]:
        """Return what the log says of a table under one operation."""
        _, values = self.broker.read(self.log, 0)
        found = [json.loads(v) for v in values]
        return [r["after"] for r in found if r.get("op") == op and r["source"]["table"] == table]


@pytest.fixture
def shop_of(servers: Servers, tmp_path: Path) -> Iterator[Any]:
    """Give a maker of shops; what is left of its connectors is deleted in the end."""
    made: list[Shop] = []

    def make(kind: str) -> Shop:
        servers.start("connect", kind)
        shop = Shop(tmp_path, servers, kind)
        made.append(shop)
        if kind == "postgres":
            admin = Shop.__new__(Shop)
            admin.kind, admin.database, admin.name = kind, shop.database, "postgres"
            admin.sql(f"CREATE DATABASE {shop.name}")
            schema = (ROOT / "src/figbridge/demo/monolith/schema.sql").read_text(encoding="utf-8")
            shop.sql(schema, "INSERT INTO shop.carriers VALUES (1, 'DHL', 'x'), (2, 'UPS', 'y')", DELIVERY)
            shop.sql("INSERT INTO shop.stock SELECT 'A' || i, 100, 0, now() FROM generate_series(1, 3000) i")
        else:
            text = (ROOT / "src/figbridge/demo/monolith/schema_mariadb.sql").read_text(encoding="utf-8")
            carriers = "INSERT INTO shop.carriers VALUES (1, 'DHL', 'x'), (2, 'UPS', 'y')"
            stock = "INSERT INTO shop.stock SELECT CONCAT('A', seq), 100, 0, NOW(6) FROM shop.seq_1_to_3000"
            marks = "CREATE TABLE shop.figbridge_signal (id varchar(64) PRIMARY KEY, type varchar(32), data text)"
            shop.sql("DROP DATABASE IF EXISTS shop", *MARIADB.statements(text), carriers, stock, marks)
        return shop

    yield make
    for shop in made:
        shop.write()
        shop.call("delete", "legacy", "--yes")
        if shop.kind == "postgres":
            shop.sql(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                " WHERE database = current_database() AND NOT active"
            )
