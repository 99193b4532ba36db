"""The grants of docs/connectors.md are enough: whoever copies them gets a connector that streams."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from figbridge.cli.exits import Exit

from .conftest import ROOT, Shop
from .test_connectors import until

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]

PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")


def documented(kind: str) -> list[str]:
    """Return the statements of the page for one kind of database."""
    blocks = re.findall(r"```sql\n(.*?)```", PAGE.partition("## Grants")[2], re.DOTALL)
    (block,) = [b for b in blocks if ("ROLE" in b) == (kind == "postgres")]
    return [s.strip() for s in re.sub(r"--[^\n]*", "", block).split(";") if s.strip()]


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_the_documented_grants_are_enough(shop_of: Any, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Snapshot, stream, and a table read again, with the page's two accounts and no other right."""
    shop: Shop = shop_of(kind)
    password = shop.database.password
    statements = [s.replace("…", password).replace("DATABASE shop", f"DATABASE {shop.name}") for s in documented(kind)]
    if kind == "postgres":
        owned = [f"ALTER TABLE {t} OWNER TO shop_owner" for t in _tables(shop)]
        shop.sql("CREATE ROLE shop_owner", *owned)
    shop.sql(*statements)
    try:
        _as_documented(shop)
        assert shop.call("validate") == Exit.OK, capsys.readouterr()
        assert shop.call("apply") == Exit.OK, capsys.readouterr()
        until(lambda: len(shop.rows("stock", "r")) == 3000, "the snapshot")
        shop.sql("UPDATE shop.stock SET on_hand = 5 WHERE item_cd = 'A1'")
        until(lambda: shop.rows("stock", "u"), "the update")
        assert shop.call("snapshot", "shop.stock", "--where", "item_cd = 'A5'") == Exit.OK, capsys.readouterr()
        assert shop.call("delete", "legacy", "--yes") == Exit.OK
    finally:
        _forget(shop)


def _tables(shop: Shop) -> list[str]:
    return [f"shop.{name}" for (name,) in shop.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'shop'")]


def _as_documented(shop: Shop) -> None:
    """Let connector and settings use the accounts of the page; the passwords stay what the references lead to."""
    document: Path = shop.folder / "connect" / "legacy.yaml"
    text = document.read_text(encoding="utf-8")
    document.write_text(text.replace(f'"{shop.database.user_ref}"', "figbridge"), encoding="utf-8")
    settings = shop.folder / "figbridge.yaml"
    found = json.loads(settings.read_text(encoding="utf-8"))
    found["sources"]["legacy"]["user"] = "figbridge_look"
    settings.write_text(json.dumps(found), encoding="utf-8")


def _forget(shop: Shop) -> None:
    if shop.kind == "mariadb":
        shop.sql("DROP USER figbridge", "DROP USER figbridge_look")
        return
    owner = shop.database.user
    for role in ("figbridge", "figbridge_look", "shop_owner"):
        shop.sql(f"REASSIGN OWNED BY {role} TO {owner}", f"DROP OWNED BY {role}")
    shop.sql("DROP ROLE figbridge", "DROP ROLE figbridge_look", "DROP ROLE shop_owner")
