"""Generate the functions that read values: one for each attribute, `v(r, u, s)` of a row, its unit and a side."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Map

from figbridge.domain.change import RowShape
from figbridge.mapping import model, values
from figbridge.mapping.model import Column, Kind, Mapping, Otherwise, Reader
from figbridge.mapping.source import Source
from figbridge.mapping.unit import U, Unit

READING = {
    "U": U,
    "text": values.text,
    "integer": values.integer,
    "decimal": values.decimal,
    "money": values.money,
    "boolean": values.boolean,
    "code": values.code,
    "reference": values.reference,
    "instant": values.instant,
    "day": values.day,
    "clock": values.clock,
    "document": values.document,
    "uuid": values.uuid,
    "address": values.address,
    "join": values.join,
    "raw": values.raw,
    "Unreadable": values.CANNOT_READ,
}


def cell(row: object, field: str) -> object:
    """Return a cell of a row that may not exist (None) or not be known (UNAVAILABLE)."""
    return row if row is None or row is U else getattr(row, field)


def whole(fields: dict[str, object]) -> object:
    """Return an object, UNAVAILABLE when a field is, null when every field is null."""
    found = fields.values()
    if U in found:
        return U
    return None if all(v is None for v in found) else fields


def each(rows: object, of: Callable[[object, Unit, int], object], unit: Unit, side: int) -> object:
    """Return the objects of a relation's rows, UNAVAILABLE when one is."""
    if not isinstance(rows, list):
        return U
    found = [of(row, unit, side) for row in rows]
    return U if U in found else found


class ValueCode:
    """Generate reading code for one mapping. `refs` gives the id prefix of each known aggregate.

    `row` and `side` are the names of the row that is read and of its side.
    """

    def __init__(
        self,
        mapping: Mapping,
        shapes: Map[str, RowShape],
        refs: Map[str, str],
        source: Source,
        *,
        row: str = "r",
        side: str = "s",
    ) -> None:
        self.row = row
        self.side = side
        self.mapping = mapping
        self.shapes = shapes
        self.refs = refs
        self.source = source
        source.names.update(READING, cell=cell, whole=whole, each=each)

    def field(self, column: Column) -> str:
        """Return the field of a column's cell in its row."""
        return self.shapes[self.mapping.node(column.path).table].field(column.name)

    def function(self, reader: Reader, path: str) -> str:
        """Write a function that reads one value from the row at a path; returns its name."""
        name = self.source.fresh("v")
        code = self.expression(reader, path)
        with self.source.function(f"def {name}(r, u, s):"):
            self.source.line(f"return {code}")
        return name

    def row_object(self, fields: tuple[tuple[str, Reader], ...], path: str) -> str:
        """Write a function that reads an object from one row of a relation; returns its name."""
        return self.function(model.Object(fields), path)

    def _cell(self, column: Column, path: str) -> str:
        """Return the expression of a cell as seen from the row at a path."""
        if column.path == path:
            return f"{self.row}.{self.field(column)}"
        row, at = self.row, path
        while not (column.path == at or column.path.startswith(f"{at}.") or at == ""):
            row = f"u.up({self.source.constant(at)}, {row}, {self.side})"
            at = self.mapping.node(at).parent
        for step in self._steps_down(at, column.path):
            row = f"u.one({self.source.constant(step)}, {row}, {self.side})"
        return f"cell({row}, {self.field(column)!r})"

    def _steps_down(self, top: str, path: str) -> list[str]:
        steps: list[str] = []
        while path != top:
            node = self.mapping.node(path)
            if node.kind is not Kind.POINTED:
                raise KeyError(path)  # the loader refuses a column of many rows where one value is wanted
            steps.append(path)
            path = node.parent
        return steps[::-1]

    def expression(self, reader: Reader, path: str) -> str:
        """Return the expression that reads a value from the row at a path, in unit `u`."""
        k = self.source.constant
        match reader:
            case model.Constant(value):
                return k(value)
            case model.Fallible(inner, otherwise):
                return self._fallible(inner, otherwise, path)
            case model.Object(fields):
                return f"whole({{{', '.join(f'{k(n)}: {self.expression(f, path)}' for n, f in fields)}}})"
            case model.Each(rows, fields):
                side = self.side
                found = f"u.below({k(rows)}, {k(path)}, {self.row}, {side})" if path else f"u.many({k(rows)}, {side})"
                return f"each({found}, {self.row_object(fields, rows)}, u, {side})"
            case model.Join(columns, by):
                return f"join(({', '.join(self._cell(c, path) for c in columns)},), {k(by)})"
            case _:
                return self._leaf(reader, self._cell(reader.column, path), path)

    def _leaf(self, reader: model.Leaf, x: str, path: str) -> str:  # noqa: C901 — one arm per kind of reader
        k = self.source.constant
        match reader:
            case model.Plain():
                return x
            case model.Text(_, trim):
                return x if trim == "none" else f"text({x}, {k(trim)})"
            case model.Int():
                return f"integer({x})"
            case model.Decimal():
                return f"decimal({x})"
            case model.Money(_, currency, minor):
                unit = self._cell(currency, path) if isinstance(currency, Column) else k(currency)
                return f"money({x}, {unit}, {minor})"
            case model.Bool(_, of):
                return f"boolean({x}, {k(dict(of))})"
            case model.Code(_, of):
                codes, y = k(dict(of)), self.source.fresh("y")
                return f"({codes}[{y}] if ({y} := {x}) in {codes} else code({y}, {codes}))"
            case model.Lookup(name, _):
                table = next(t for t in self.mapping.lookups if t.name == name)
                return f"cell(u.look({k(table.table)}, {x}), {self.shapes[table.table].field(table.gives)!r})"
            case model.Ref(aggregate, _):
                return f"reference({x}, {k(self.refs.get(aggregate, aggregate.lower() + '-'))})"
            case model.Instant(_, zone, unit, fold):
                return f"instant({x}, {k(zone)}, {k(unit)}, {k(fold)})"
            case model.Date():
                return f"day({x})"
            case model.Time(_, unit):
                return f"clock({x}, {k(unit)})"
            case model.Json():
                return f"document({x})"
            case model.Uuid():
                return f"uuid({x})"
            case model.Address(_, lines):
                return f"address({x}, {k(lines)})"

    def _fallible(self, inner: Reader, otherwise: Otherwise, path: str) -> str:
        if otherwise is Otherwise.PARK:
            return self.expression(inner, path)
        name, code = self.source.fresh("f"), self.expression(inner, path)
        column = getattr(inner, "column", None)
        fallback = f"raw({self._cell(column, path)})" if otherwise is Otherwise.RAW and column else "None"
        with self.source.function(f"def {name}(r, u, s):"):
            with self.source.block("try:"):
                self.source.line(f"return {code}")
            with self.source.block("except Unreadable:"):
                self.source.line(f"return {fallback}")
        return f"{name}(r, u, s)"
