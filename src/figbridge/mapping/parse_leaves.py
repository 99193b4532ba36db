"""The readers of one column: the form in which each is written, and what it becomes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, Tag

from figbridge.mapping import model as m
from figbridge.mapping.nodes import Scalar, did_you_mean
from figbridge.mapping.parse_form import (
    ColumnPath,
    Form,
    Free,
    TypeName,
    Value,
    Word,
    by_shape,
    default,
    expected,
)
from figbridge.mapping.parse_names import Scope

Code: TypeAlias = Annotated[Scalar, Word("a code", schema=("string", "number", "boolean"))]
Unreadable: TypeAlias = Annotated[Scalar, Word("a policy", choices=("park", "raw", "null"))]
Truth: TypeAlias = Annotated[Scalar, Word("true or false", choices=("true", "false"), schema=("boolean",))]
TimeUnit: TypeAlias = Annotated[Scalar, Word("a unit", choices=("us", "ms", "ns", "s"))]


@dataclass(frozen=True, slots=True)
class At:
    """Where a reader stands: the row whose columns it means, and the attribute it is part of."""

    scope: Scope
    path: str
    owner: str

    def column(self, text: Scalar) -> m.Column | None:
        """Return the column that a text means here, None when it means none."""
        return self.scope.column(text, self.path, self.owner)

    def read(self, text: Scalar, make: Callable[[m.Column], m.Reader]) -> m.Reader | None:
        """Return the reader that is made of the column that a text means here."""
        column = self.column(text)
        return None if column is None else make(column)


class ReaderForm(Form):
    """What every reader may say."""

    otherwise: Unreadable = Field(
        default("park"),
        description="What a value becomes that the reader cannot read: park the key, the raw cell, null.",
    )

    @abstractmethod
    def _build(self, at: At) -> m.Reader | None:
        """Return the reader, None when a name in it means nothing."""


class TextForm(ReaderForm):
    """Text."""

    text: ColumnPath = Field(description="The column.")
    trim: Annotated[Scalar, Word("a side", choices=("none", "left", "right", "both"))] = Field(
        default("none"), description="Blanks to cut off; char(n) columns are padded on PostgreSQL."
    )

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.text, lambda column: m.Text(column, str(self.trim)))


class IntForm(ReaderForm):
    """A whole number."""

    int_: ColumnPath = Field(alias="int", description="The column.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.int_, m.Int)


class DecimalForm(ReaderForm):
    """A decimal number, kept as the source wrote it."""

    decimal: ColumnPath = Field(description="The column.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.decimal, m.Decimal)


class CurrencyForm(Form):
    """A currency that stands in the row."""

    column: ColumnPath = Field(description="The column with the currency's code.")


class MoneyForm(ReaderForm):
    """An amount with its currency."""

    money: ColumnPath = Field(description="The column with the amount.")
    currency: Annotated[
        Annotated[
            Annotated[Scalar, Word("a currency of ISO 4217", pattern="[A-Z]{3}", like="EUR, or {column: NAME}")],
            Tag("<text>"),
        ]
        | Annotated[CurrencyForm, Tag("<map>")]
        | Annotated[Any, expected("a currency or {column: NAME}"), Tag("<else>")],
        by_shape("text", "map"),
    ] = Field(description="The currency's code, or the column it stands in.")
    minor: Annotated[int, Word("a number of digits", pattern="[0-9]", convert=int, schema=("integer",), like="2")] = (
        Field(0, description="The column counts 10^-minor units as a whole number (2: cents).")
    )

    def _build(self, at: At) -> m.Reader | None:
        column = at.column(self.money)
        currency = at.column(self.currency.column) if isinstance(self.currency, CurrencyForm) else str(self.currency)
        return m.Money(column, currency, self.minor) if column and currency else None


class BoolForm(ReaderForm):
    """True or false."""

    bool_: ColumnPath = Field(alias="bool", description="The column.")
    of: dict[Code, Truth] = Field({}, description="What each code means; without it a boolean or 0 and 1 are read.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(
            self.bool_, lambda column: m.Bool(column, tuple((str(k), v == "true") for k, v in self.of.items()))
        )


class CodeForm(ReaderForm):
    """A code with its meaning."""

    code: ColumnPath = Field(description="The column.")
    of: dict[Code, Value] = Field(min_length=1, description="What each code means.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.code, lambda column: m.Code(column, tuple((str(k), str(v)) for k, v in self.of.items())))


class LookupForm(ReaderForm):
    """The meaning of an id, from a code table in the database."""

    lookup: Annotated[Scalar, Word("a lookup's name")] = Field(description="The name of the code table under `lookup`.")
    from_: ColumnPath = Field(alias="from", description="The column with the id.")

    def _build(self, at: At) -> m.Reader | None:
        lookup, column = at.scope.lookup(self.lookup), at.column(self.from_)
        return m.Lookup(lookup, column) if lookup and column else None


class RefForm(ReaderForm):
    """The id of another aggregate."""

    ref: TypeName = Field(description="The type of the other aggregate.")
    from_: ColumnPath = Field(alias="from", description="The column with its key.")

    def _build(self, at: At) -> m.Reader | None:
        at.scope.places.setdefault(f"ref.{self.ref}", self.ref.place)
        return at.read(self.from_, lambda column: m.Ref(str(self.ref), column))


class InstantForm(ReaderForm):
    """An instant, from a wall clock in a zone or from text with an offset."""

    instant: ColumnPath = Field(description="The column.")
    zone: Free = Field(description="The IANA zone of the wall clock, e.g. Europe/Berlin.")
    unit: TimeUnit = Field(default("us"), description="The unit of a number.")
    fold: Annotated[Scalar, Word("a fold", choices=("earlier", "later"))] = Field(
        default("earlier"), description="Which of two equal wall clocks is meant when autumn repeats an hour."
    )

    def _build(self, at: At) -> m.Reader | None:
        if not _is_zone(self.zone):
            hint = did_you_mean(self.zone, available_timezones())
            at.scope.findings.add(self.zone.place, "NAME006", f"no time zone `{self.zone}`", hint)
        zone, unit, fold = str(self.zone), str(self.unit), str(self.fold)
        return at.read(self.instant, lambda column: m.Instant(column, zone, unit, fold))


@cache
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


class DateForm(ReaderForm):
    """A date."""

    date: ColumnPath = Field(description="The column.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.date, m.Date)


class TimeForm(ReaderForm):
    """A time of day."""

    time: ColumnPath = Field(description="The column.")
    unit: TimeUnit = Field(default("us"), description="The unit of a number.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.time, lambda column: m.Time(column, str(self.unit)))


class JsonForm(ReaderForm):
    """A JSON document."""

    json_: ColumnPath = Field(alias="json", description="The column.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.json_, m.Json)


class UuidForm(ReaderForm):
    """A UUID."""

    uuid: ColumnPath = Field(description="The column.")

    def _build(self, at: At) -> m.Reader | None:
        return at.read(self.uuid, m.Uuid)


class AddressForm(ReaderForm):
    """A free-text address."""

    address: ColumnPath = Field(description="The column.")
    lines: list[
        Annotated[
            Scalar, Word("a line of names", pattern=r"[a-z][A-Za-z0-9]*( +[a-z][A-Za-z0-9]*)*", like="postcode city")
        ]
    ] = Field(min_length=1, description="One pattern of names per line; a line's last name takes the rest of it.")

    def _build(self, at: At) -> m.Reader | None:
        seen: set[str] = set()
        for line in self.lines:
            for name in line.split():
                if name in seen:
                    at.scope.findings.add(line.place, "DOC008", f"`{name}` stands twice in the address")
                seen.add(name)
        lines = tuple(tuple(line.split()) for line in self.lines)
        return at.read(self.address, lambda column: m.Address(column, lines))


LEAVES: Final[dict[str, type[ReaderForm]]] = {
    "text": TextForm,
    "int": IntForm,
    "decimal": DecimalForm,
    "money": MoneyForm,
    "bool": BoolForm,
    "code": CodeForm,
    "lookup": LookupForm,
    "ref": RefForm,
    "instant": InstantForm,
    "date": DateForm,
    "time": TimeForm,
    "json": JsonForm,
    "uuid": UuidForm,
    "address": AddressForm,
}
