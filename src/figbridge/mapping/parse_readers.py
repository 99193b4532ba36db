"""The readers that are made of others, and the union of all forms in which a reader is written."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from pydantic import Discriminator, Field, Tag

from figbridge.mapping import model as m
from figbridge.mapping.nodes import MapNode, Node, Scalar, did_you_mean
from figbridge.mapping.parse_form import (
    ColumnPath,
    FieldName,
    Otherwise,
    RelationPath,
    Value,
    Word,
    default,
    refuse,
)
from figbridge.mapping.parse_leaves import (
    LEAVES,
    AddressForm,
    At,
    BoolForm,
    CodeForm,
    DateForm,
    DecimalForm,
    InstantForm,
    IntForm,
    JsonForm,
    LookupForm,
    MoneyForm,
    ReaderForm,
    RefForm,
    TextForm,
    TimeForm,
    UuidForm,
)


class JoinForm(ReaderForm):
    """Several columns as one text."""

    join: list[ColumnPath] = Field(min_length=1, description="The columns; null and empty ones are left out.")
    by: Annotated[Scalar, Word("a separator")] = Field(default(" "), description="What stands between them.")

    def _build(self, at: At) -> m.Reader | None:
        columns = at.scope.columns(self.join, at.path, at.owner)
        return None if columns is None else m.Join(columns, str(self.by))


class ConstantForm(ReaderForm):
    """Always the same value."""

    constant: Value = Field(description="The value, as text.")

    def _build(self, at: At) -> m.Reader | None:  # noqa: ARG002
        return m.Constant(str(self.constant))


class ObjectForm(ReaderForm):
    """Several values under names."""

    object_: dict[FieldName, AnyReader] = Field(alias="object", min_length=1, description="Name → reader.")

    def _build(self, at: At) -> m.Reader | None:
        fields = build_fields(self.object_, at)
        return None if fields is None else m.Object(fields)


class EachForm(ReaderForm):
    """A list with one object for each row of a relation."""

    each: RelationPath = Field(description="The relation.")
    as_: dict[FieldName, AnyReader] = Field(
        alias="as", min_length=1, description="Name → reader; columns are those of the relation's row."
    )

    def _build(self, at: At) -> m.Reader | None:
        path = at.scope.relation(self.each, at.path)
        if path is None:
            return None
        if not path or at.path not in at.scope.shape.chain(path) or path == at.path:
            message = f"`{self.each}` is no relation of the rows that are read here"
            at.scope.findings.add(self.each.place, "USE001", message, "name a relation below them")
            return None
        fields = build_fields(self.as_, At(at.scope, path, at.owner))
        return None if fields is None else m.Each(path, fields)


FORMS: Final[dict[str, type[ReaderForm]]] = {
    **LEAVES,
    "join": JoinForm,
    "object": ObjectForm,
    "each": EachForm,
    "constant": ConstantForm,
}


def reader_tag(node: Any) -> str:
    """Return the tag of the reader that a node is written as."""
    if isinstance(node, Scalar):
        return "<column>"
    named = [key for key in node if key in FORMS] if isinstance(node, MapNode) else []
    return f"<{named[0]}>" if len(named) == 1 else "<else>"


def no_reader(node: Node) -> Any:
    """Say why a node is no reader."""
    if not isinstance(node, MapNode):
        return refuse("DOC003", "expected a column or a reader, found a list")
    named = [str(key) for key in node if key in FORMS]
    if len(named) > 1:
        return refuse("DOC007", f"two readers: `{named[0]}` and `{named[1]}`", "write one", key=named[1])
    keys = [str(key) for key in node]
    for key in keys:
        if hint := did_you_mean(key, FORMS):
            return refuse("DOC006", f"unknown reader `{key}`", hint, key=key)
    hint = "one of " + ", ".join(FORMS)
    return refuse("DOC006", f"`{keys[0]}` is no reader" if keys else "no reader", hint, key=keys[0] if keys else "")


AnyReader: TypeAlias = Annotated[
    Annotated[ColumnPath, Tag("<column>")]
    | Annotated[TextForm, Tag("<text>")]
    | Annotated[IntForm, Tag("<int>")]
    | Annotated[DecimalForm, Tag("<decimal>")]
    | Annotated[MoneyForm, Tag("<money>")]
    | Annotated[BoolForm, Tag("<bool>")]
    | Annotated[CodeForm, Tag("<code>")]
    | Annotated[LookupForm, Tag("<lookup>")]
    | Annotated[RefForm, Tag("<ref>")]
    | Annotated[InstantForm, Tag("<instant>")]
    | Annotated[DateForm, Tag("<date>")]
    | Annotated[TimeForm, Tag("<time>")]
    | Annotated[JsonForm, Tag("<json>")]
    | Annotated[UuidForm, Tag("<uuid>")]
    | Annotated[AddressForm, Tag("<address>")]
    | Annotated[JoinForm, Tag("<join>")]
    | Annotated[ObjectForm, Tag("<object>")]
    | Annotated[EachForm, Tag("<each>")]
    | Annotated[ConstantForm, Tag("<constant>")]
    | Annotated[Any, Otherwise(no_reader), Tag("<else>")],
    Discriminator(reader_tag),
]

ObjectForm.model_rebuild()
EachForm.model_rebuild()


def build_reader(form: Scalar | ReaderForm, at: At) -> m.Reader | None:
    """Make the reader that a form says, None when a name in it means nothing."""
    if isinstance(form, Scalar):
        return at.read(form, m.Plain)
    reader = form._build(at)
    if reader is None or form.otherwise == "park":
        return reader
    return m.Fallible(reader, m.Otherwise(form.otherwise))


def build_fields(forms: dict[Scalar, Any], at: At) -> tuple[tuple[str, m.Reader], ...] | None:
    """Make the readers of a map name → form, None when one of them is none."""
    built = [(str(name), build_reader(form, at)) for name, form in forms.items()]
    fields = tuple((name, reader) for name, reader in built if reader is not None)
    return fields if len(fields) == len(built) else None
