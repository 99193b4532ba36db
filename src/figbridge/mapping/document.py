"""The documents a person writes, as pydantic models: mapping, service, facts. The JSON Schemas are made from them.

Texts in them are `Scalar`s, which know their place; names are resolved in parse_mapping.py and its neighbours.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag

from figbridge.mapping.nodes import MapNode, Scalar
from figbridge.mapping.parse_form import (
    Anything,
    AttributeName,
    AttributePath,
    ColumnName,
    ColumnPath,
    FactName,
    FieldName,
    Form,
    Free,
    Names,
    RelationName,
    RelationPath,
    Slug,
    TableName,
    TypeName,
    Whole,
    Word,
    by_shape,
    default,
    expected,
)
from figbridge.mapping.parse_leaves import Truth
from figbridge.mapping.parse_readers import AnyReader, reader_tag

BeforeWord: TypeAlias = Annotated[Scalar, Word("where `before` comes from", choices=("required", "last-known"))]
ReadKey: TypeAlias = Annotated[
    Scalar, Word("an attribute's name", pattern=r"[a-z][A-Za-z0-9_]*(\.[a-z][A-Za-z0-9_]*)*", like="placedAt")
]
Template: TypeAlias = Annotated[
    Scalar,
    Word("a template with a column", pattern=r"[^{}]*(\{[^\s.{}]+\}[^{}]*)+", like="order-{number}"),
]
Side: TypeAlias = Annotated[
    Scalar,
    Word(
        "an attribute, was.ATTRIBUTE or change.ATTRIBUTE",
        pattern=r"(was\.|change\.)?[a-z][A-Za-z0-9_]*(\.[a-z][A-Za-z0-9_]*)*",
        like="was.status",
    ),
]


class SourceForm(Form):
    """The table that the aggregate's root stands in."""

    table: TableName = Field(description="The table, with its schema.")
    key: Names = Field(description="The primary key: a column or several.")
    before: BeforeWord = Field(
        default("required"),
        description="Where a row's image before a change comes from: the log, or what is remembered in the state.",
    )


class RelationForm(Form):
    """A table whose rows are part of the aggregate."""

    table: TableName = Field(description="The table, with its schema.")
    key: Names = Field(description="The primary key: a column or several.")
    belongs: Names = Field((), description="Columns of this table that hold the parent's key: a child.")
    pointed: Names = Field((), description="Columns of the parent that hold this table's key: the parent points at it.")
    before: BeforeWord = Field(default(""), description="As in `source`, whose value is the default.")
    with_: dict[RelationName, RelationForm] = Field({}, alias="with", description="Relations of this relation's rows.")


class LookupTableForm(Form):
    """A code table in the database."""

    table: TableName = Field(description="The table, with its schema.")
    key: ColumnName = Field(description="The column with the id.")
    gives: ColumnName = Field(description="The column with the meaning.")


class AboutForm(Form):
    """The aggregate."""

    aggregate: TypeName = Field(description="The aggregate's type.")
    id: Template = Field(description="The aggregate's id: text with columns of the root in braces.")


Rows: TypeAlias = dict[AttributeName, AnyReader]


def _read_tag(node: Any) -> str:
    return "<rows>" if isinstance(node, MapNode) and node.rows else "<reader>"


def declares_rows(node: Any) -> bool:
    """Say whether a value in `read`, under a relation's name, declares attributes of its rows: whatever is neither a
    column, nor `each`, nor `object`, which an attribute may be that has a relation's name."""
    return isinstance(node, MapNode) and reader_tag(node) not in ("<each>", "<object>")


class EventForm(Form):
    """An event: when it happens and what it tells."""

    for_: RelationPath = Field(
        default(""), alias="for", description="A relation: judge the rule once for each of its rows."
    )
    when: Free = Field(description="The condition, e.g. `status placed -> confirmed`.")
    tell: Annotated[
        Annotated[list[AttributePath], Tag("<list>")]
        | Annotated[dict[FieldName, Side], Tag("<map>")]
        | Annotated[Any, expected("a list of attributes or a map name → attribute"), Tag("<else>")],
        by_shape("list", "map"),
    ] = Field((), description="The event's data: attributes, or name → `X`, `was.X`, `change.X`.")
    fact: FactName = Field(description="The fact that the event is about.")


class SnapshotForm(Form):
    """The event of a snapshot row, with what it tells."""

    type: TypeName = Field(description="The event's type.")
    tell: list[AttributePath] = Field(description="The attributes that it tells.")


Cells: TypeAlias = dict[ColumnName, Anything]


class StepForm(Form):
    """One row change of a test."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    insert: dict[TableName, Cells] = Field({}, description="Table → cells of the row.")
    update: dict[TableName, Cells] = Field({}, description="Table → cells; [before, after] where a cell changes.")
    delete: dict[TableName, Cells] = Field({}, description="Table → cells of the row that goes.")
    truncate: TableName = Field(default(""), description="The table that is emptied.")


class TestForm(Form):
    """A test of the mapping."""

    name: Free = Field(description="The rule that the test shows.")
    given: list[dict[TableName, Cells]] = Field([], description="Rows that are known before.")
    tx: list[StepForm] = Field([], description="The row changes of one transaction.")
    txs: list[list[StepForm]] = Field([], description="Several transactions.")
    expect: Annotated[
        Annotated[
            Annotated[Scalar, Word("an expectation", choices=("nothing", "parked"))],
            Tag("<text>"),
        ]
        | Annotated[list[dict[Annotated[Scalar, Word("an event's type")], Anything]], Tag("<list>")]
        | Annotated[Any, expected("nothing, parked or a list of events"), Tag("<else>")],
        by_shape("text", "list"),
    ] = Field(description="`nothing`, `parked`, or the events that must come, all and in order.")


class MappingForm(Form):
    """A mapping: how the row changes of a legacy table become events of an aggregate."""

    mapping: Slug = Field(description="The mapping's name.")
    version: Whole = Field(description="Grows with every change of meaning.")
    source: SourceForm = Field(description="The root's table.")
    judge: Annotated[Scalar, Word("what is judged", choices=("net", "each"))] = Field(
        default("net"), description="The transaction's net change of an aggregate, or change by change."
    )
    unsure: Annotated[Scalar, Word("what happens then", choices=("park", "skip"))] = Field(
        default("park"), description="What happens when a rule stays unknown."
    )
    with_: dict[RelationName, RelationForm] = Field(
        {}, alias="with", description="Rows of other tables that are part of it."
    )
    lookup: dict[RelationName, LookupTableForm] = Field({}, description="Code tables in the database.")
    about: AboutForm = Field(description="What the events are about.")
    read: dict[
        ReadKey,
        Annotated[Annotated[Rows, Tag("<rows>")] | Annotated[AnyReader, Tag("<reader>")], Discriminator(_read_tag)],
    ] = Field(
        min_length=1,
        description="Attribute → reader of columns; under a relation's path, attributes of each of its rows.",
    )
    noise: list[ColumnPath] = Field([], description="Columns whose change alone is nothing.")
    unused: dict[ColumnPath, Free] = Field({}, description="Columns that are not read, each with the reason.")
    safe: list[ColumnPath] = Field(
        [], description="Columns that never hold personal data or a secret, read or not: they may be shown in clear."
    )
    facts: dict[FactName, list[AttributePath]] = Field(description="Fact → the attributes that are owned as one.")
    events: dict[TypeName, EventForm] = Field({}, description="What happened.")
    silent: list[Free] = Field([], description="Conditions that are known and of no interest.")
    never: list[Free] = Field([], description="Conditions that must not hold: parked and reported.")
    snapshot: Annotated[
        Annotated[TypeName, Tag("<text>")]
        | Annotated[SnapshotForm, Tag("<map>")]
        | Annotated[Any, expected("an event's type or {type, tell}"), Tag("<else>")],
        by_shape("text", "map"),
    ] = Field(default(""), description="The event that says what a snapshot row states; it is never a happening.")
    write_back: dict[FactName, dict[AttributeName, ColumnPath]] = Field(
        {}, description="Fact → attribute → column, for facts that a service owns: the inverse of `read`."
    )
    tests: list[TestForm] = Field([], description="Row changes and the events that must come.")


class OutboxColumnsForm(Form):
    """The columns of an outbox table."""

    id: ColumnName = Field(description="The event's id.")
    type: ColumnName = Field(description="The event's type.")
    aggregate: ColumnName = Field(description="The aggregate's type.")
    subject: ColumnName = Field(description="The aggregate's id.")
    payload: ColumnName = Field(description="The event's data, as JSON.")


class OutboxForm(Form):
    """The table that a service writes its events to."""

    table: TableName = Field(description="The table, with its schema.")
    key: ColumnName = Field(description="The primary key.")
    columns: OutboxColumnsForm = Field(description="What stands in which column.")


class ServiceEventForm(Form):
    """An event that a service may say."""

    fact: FactName = Field(description="The fact that it asserts.")
    aggregate: TypeName = Field(description="The aggregate that it is about.")


class ServiceForm(Form):
    """A service: where it writes its events, and which facts they assert."""

    service: Slug = Field(description="The service's name among the systems.")
    version: Whole = Field(description="Grows with every change of meaning.")
    outbox: OutboxForm = Field(description="The outbox table.")
    events: dict[TypeName, ServiceEventForm] = Field(min_length=1, description="What the service may say.")


class CopyForm(Form):
    """A local copy of a fact."""

    system: Slug = Field(description="Who keeps the copy.")
    purpose: Free = Field(description="What for.")
    staleness: Free = Field(description="How old it may be.")


class FactForm(Form):
    """A fact: who owns it today, who will, and who keeps copies."""

    record: Free = Field(description="The business record that the fact is part of.")
    authority: Slug = Field(description="The system that owns the fact today.")
    successor: Slug = Field(default(""), description="The system that will own it; a fact that stays has none.")
    rule: Free = Field(description="The rule of ownership in one sentence.")
    consumers: list[Free] = Field([], description="Who reads the fact.")
    copies: list[CopyForm] = Field([], description="Every local copy.")


class FactsForm(Form):
    """The facts of a migration and the systems that can own them."""

    systems: list[Slug] = Field(min_length=1, description="Every system: legacy and the services.")
    facts: dict[FactName, FactForm] = Field(min_length=1, description="The facts.")


class ColumnForm(Form):
    """A column of a live table."""

    type: Free = Field(description="The database's type.")
    nullable: Truth = Field(default("true"), description="Whether it may be null.")
    key: Whole = Field(0, description="Its place in the primary key, from 1; 0 outside it.")


class TablesForm(Form):
    """The tables as they stand in the databases."""

    tables: dict[TableName, dict[ColumnName, ColumnForm]] = Field(description="Table → column → what it is.")
