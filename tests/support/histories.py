"""Random histories of the shop, and what each order is worth saying at any moment: the model that events must equal."""

from __future__ import annotations

from random import Random
from typing import Any

from support.mappings import orders
from support.monolith import Monolith, Step, delete, insert, update

TOP = ("status", "customer", "total", "notes", "shipTo", "carrier", "lines", "payments", "payments.moves")
_CODES = {"P": "placed", "C": "confirmed", "X": "cancelled"}


def _name(attribute: str) -> str:
    return attribute.rpartition(".")[2]


def everything(before: str = "required") -> str:
    """Return a mapping whose events tell every attribute on the sides that are there."""
    now = ", ".join(f"{_name(a)}: {a}" for a in TOP)
    was = ", ".join(f"{_name(a)}Was: was.{a}" for a in TOP)
    changes = " or ".join(f"{a} changes" for a in TOP)
    return orders(
        f"""
        Came: {{when: appears, tell: {{{now}}}, fact: order.placement}}
        Went: {{when: disappears, tell: {{{was}}}, fact: order.placement}}
        Changed: {{when: {changes}, tell: {{{now}, {was}}}, fact: order.placement}}
        """,
        before=before,
    )


_ROWS = ("lines", "payments", "moves")


def aggregates(monolith: Monolith) -> dict[str, dict[str, Any]]:
    """Return every order by its id, with every attribute, from the tables as they are. Rows of lists stand with the
    number that they keep whatever becomes of their keys: a row that goes and one like it that comes are a change."""
    rows = monolith.rows
    of = {t: dict(sorted((k, r) for (name, k), r in rows.items() if name == t)) for t in monolith.tables}
    return {f"order-{order['number']}": _order(order, of) for order in of["orders"].values()}


def _order(order: dict[str, Any], of: dict[str, dict[Any, dict[str, Any]]]) -> dict[str, Any]:
    address = of["addresses"].get((order["ship_addr_id"],), {})
    carrier = of["carriers"].get((order["carrier_id"],), {})
    payments = [p for p in of["payments"].values() if p["order_id"] == order["order_id"]]
    keys = {p["pay_id"] for p in payments}
    ship = {"name": address.get("name"), "city": address.get("city")}
    return {
        "status": _CODES[order["stat"]],
        "customer": order["cust_id"] and f"customer-{order['cust_id']}",
        "total": order["tot_amt"] and {"amount": order["tot_amt"], "currency": "EUR"},
        "notes": order["notes"],
        "shipTo": ship if any(ship.values()) else None,
        "carrier": carrier.get("code"),
        "lines": [
            (line["uid"], {"sku": line["item_cd"], "quantity": line["qty"]})
            for line in of["order_lines"].values()
            if line["order_id"] == order["order_id"]
        ],
        "payments": [
            (p["uid"], {"method": {"C": "card", "I": "invoice"}[p["meth"]], "amount": p["amt"]}) for p in payments
        ],
        "moves": [
            (m["uid"], {"kind": {"A": "authorised", "D": "debited"}[m["typ"]], "amount": m["amt"]})
            for m in of["payment_moves"].values()
            if m["pay_id"] in keys
        ],
    }


def expected(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> dict[str, tuple[str, Any]]:
    """Return the event of each order that a transaction changed: subject → type and data."""
    found: dict[str, tuple[str, Any]] = {}
    for subject in sorted({*before, *after}):
        was, now = before.get(subject), after.get(subject)
        if was and now and _identified(was) == _identified(now):
            continue
        data = {**_told(now or {}), **{f"{name}Was": value for name, value in _told(was or {}).items()}}
        found[subject] = ("Came" if was is None else "Went" if now is None else "Changed", data)
    return found


def _identified(aggregate: dict[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if name in _ROWS else value for name, value in aggregate.items()}


def _told(aggregate: dict[str, Any]) -> dict[str, Any]:
    return {n: [row for _, row in value] if n in _ROWS else value for n, value in aggregate.items()}


class History:
    """Draw transactions that keep the references between tables whole, as a database would."""

    def __init__(self, random: Random, monolith: Monolith) -> None:
        self.random = random
        self.monolith = monolith
        self._next = 0

    def transaction(self) -> list[Step]:
        """Draw the statements of one transaction, and carry them out in the tables."""
        steps: list[Step] = []
        for _ in range(self.random.randint(1, 5)):
            drawn = self._statement()
            steps += drawn
            self._apply(drawn)
        return steps

    def _apply(self, steps: list[Step]) -> None:
        self.monolith.fill(*steps)

    def _statement(self) -> list[Step]:
        draws = [self._insert_order, self._insert, self._insert, self._update, self._update, self._update]
        draws += [self._delete, self._rekey, self._again]
        return self.random.choice(draws)()

    def _rows(self, table: str) -> list[dict[str, Any]]:
        return [row for (name, _), row in self.monolith.rows.items() if name == table]

    def _any(self, table: str) -> dict[str, Any] | None:
        rows = self._rows(table)
        return self.random.choice(rows) if rows else None

    def _fresh(self) -> int:
        self._next += 1
        return self._next

    def _key(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        return {c: row[c] for c in self.monolith.tables[table][0]}

    def _maybe(self, table: str, column: str) -> Any:
        row = self._any(table)
        return row[column] if row and self.random.random() < 0.8 else None

    # --- statements --------------------------------------------------------------------------------

    def _insert_order(self) -> list[Step]:
        n = self._fresh()
        return [insert("orders", order_id=n, number=1000 + n, stat="P", **self._order_cells())]

    def _order_cells(self) -> dict[str, Any]:
        pick = self.random.choice
        return {
            "cust_id": pick([None, 1, 2]),
            "tot_amt": pick([None, "1.00", "2.50"]),
            "notes": pick([None, "x", "long"]),
            "ship_addr_id": self._maybe("addresses", "addr_id"),
            "carrier_id": pick([None, 1, 2]),
            "upd_dt": pick([1, 2]),
        }

    def _cells(self, table: str) -> dict[str, Any]:
        pick = self.random.choice
        match table:
            case "orders":
                cells = {"stat": pick("PCX"), **self._order_cells()}
            case "order_lines":
                cells = {"item_cd": pick(["A", "B"]), "qty": pick([1, 2]), "prc": pick(["1", "2"])}
            case "addresses":
                cells = {"name": pick([None, "Ada", "Bo"]), "city": pick([None, "Bonn"])}
            case "payments":
                cells = {"order_id": self._maybe("orders", "order_id"), "meth": pick("CI"), "amt": pick(["1", "2"])}
            case _:
                payment = self._any("payments")
                cells = {
                    "typ": pick("AD"),
                    "amt": pick(["1", "2"]),
                    **({"pay_id": payment["pay_id"]} if payment else {}),
                }
        return cells

    def _insert(self) -> list[Step]:
        table = self.random.choice(["order_lines", "addresses", "payments", "payment_moves"])
        cells = self._cells(table)
        order = self._any("orders")
        if table == "order_lines":
            if order is None:
                return []
            return [insert(table, order_id=order["order_id"], line_no=self._fresh(), uid=self._fresh(), **cells)]
        if table == "payment_moves" and "pay_id" not in cells:
            return []
        return [insert(table, **{self.monolith.tables[table][0][0]: self._fresh()}, uid=self._fresh(), **cells)]

    def _update(self) -> list[Step]:
        table = self.random.choice(["orders", "orders", "order_lines", "addresses", "payments", "payment_moves"])
        row = self._any(table)
        if row is None:
            return []
        cells = self._cells(table)
        names = self.random.sample(sorted(cells), self.random.randint(1, len(cells)))
        return [update(table, self._key(table, row), **{n: cells[n] for n in names})]

    def _delete(self) -> list[Step]:
        table = self.random.choice(["orders", "order_lines", "addresses", "payments", "payment_moves"])
        row = self._any(table)
        return [] if row is None else self._gone(table, row)

    def _gone(self, table: str, row: dict[str, Any]) -> list[Step]:
        """Delete a row after whatever refers to it."""
        below = {
            "orders": [("order_lines", "order_id"), ("payments", "order_id")],
            "payments": [("payment_moves", "pay_id")],
        }
        steps: list[Step] = []
        for child, column in below.get(table, []):
            for found in [r for r in self._rows(child) if r[column] == row[column]]:
                steps += self._gone(child, found)
        if table == "addresses":
            pointing = [r for r in self._rows("orders") if r["ship_addr_id"] == row["addr_id"]]
            steps += [update("orders", self._key("orders", r), ship_addr_id=None) for r in pointing]
        return [*steps, delete(table, **self._key(table, row))]

    def _rekey(self) -> list[Step]:
        table = self.random.choice(["orders", "order_lines", "order_lines", "payments", "payment_moves", "addresses"])
        row = self._any(table)
        if row is None:
            return []
        if table == "order_lines":
            order = self._any("orders")
            assert order is not None
            cells = self.random.choice([{"line_no": self._fresh()}, {"order_id": order["order_id"]}])
            taken = {**self._key(table, row), **cells}
            return (
                []
                if (table, tuple(taken.values())) in self.monolith.rows
                else [update(table, self._key(table, row), **cells)]
            )
        column = self.monolith.tables[table][0][0]
        new = self._fresh()
        below = {"orders": ["order_lines", "payments"], "payments": ["payment_moves"]}
        steps = [update(table, self._key(table, row), **{column: new})]
        for child in below.get(table, []):
            steps += [
                update(child, self._key(child, r), **{column: new})
                for r in self._rows(child)
                if r[column] == row[column]
            ]
        if table == "addresses":
            pointing = [r for r in self._rows("orders") if r["ship_addr_id"] == row["addr_id"]]
            steps += [update("orders", self._key("orders", r), ship_addr_id=new) for r in pointing]
        return steps

    def _again(self) -> list[Step]:
        """Delete a row and insert it again under the same key, with other cells."""
        table = self.random.choice(["orders", "order_lines", "payment_moves"])
        row = self._any(table)
        if row is None or (table == "orders" and len(self._gone(table, row)) > 1):
            return []
        return [delete(table, **self._key(table, row)), insert(table, **{**row, **self._cells(table)})]
