"""What the models of all documents share: texts that keep their place, and findings from pydantic's errors.

A model is validated against nodes (nodes.py), so a field holds the very `Scalar` of the file and everything that is
built from it later can point at it. The same models make the JSON Schemas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticOmit, core_schema

from figbridge.errors import Place
from figbridge.mapping.grammar import KEYWORDS
from figbridge.mapping.nodes import Findings, MapNode, Node, Scalar, SeqNode, describe, did_you_mean

Loc = tuple[int | str, ...]


def refuse(code: str, message: str, hint: str = "", key: str = "") -> PydanticCustomError:
    """Make an error with a code of ours that becomes a finding, at the node or at a key of it."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint, "key": key})


@dataclass(frozen=True, slots=True)
class Word:
    """Accept one text: `what` names it in messages, `pattern` and `choices` restrict it, `schema` says what a schema
    tool reads there (which knows numbers and booleans where this loader sees text)."""

    what: str
    pattern: str = ""
    choices: tuple[str, ...] = ()
    schema: tuple[str, ...] = ("string",)
    convert: Callable[[str], Any] | None = None
    reserved: frozenset[str] = frozenset()
    like: str = ""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        types = self.schema[0] if len(self.schema) == 1 else list(self.schema)
        if self.choices:
            typed: dict[str, list[Any]] = {"true": [True], "false": [False], "null": ["null", None]}
            return {"enum": [value for choice in self.choices for value in typed.get(choice, [choice])]}
        restricted = self.pattern and self.convert is None
        return {"type": types, "pattern": f"^{self.pattern}$"} if restricted else {"type": types}

    def check(self, node: object) -> Any:
        """Return the text, or its conversion; raises PydanticCustomError."""
        if not isinstance(node, Scalar):
            raise refuse("DOC003", f"expected {self.what}, found {describe(node)}")
        if self.choices and node not in self.choices:
            one_of = ", ".join(self.choices)
            raise refuse("DOC004", f"`{_cut(node)}` is none of {one_of}", did_you_mean(node, self.choices))
        if self.pattern and not re.fullmatch(self.pattern, node):
            raise refuse("DOC005", f"`{_cut(node)}` is not {self.what}", self.like and f"write it like `{self.like}`")
        if node in self.reserved:
            raise refuse("DOC005", f"`{node}` is a word of conditions and cannot be {self.what}", "choose another name")
        return self.convert(node) if self.convert else node


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(frozen=True, slots=True)
class AnyNode:
    """Accept whatever stands there."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.any_schema()


VALUE: Final = ("string", "number", "boolean", "null")
Free = Annotated[Scalar, Word("text with something in it", pattern=r"[\s\S]*\S[\s\S]*")]
Value = Annotated[Scalar, Word("a value", schema=VALUE)]
Whole = Annotated[int, Word("a whole number", pattern=r"0|[1-9][0-9]{0,8}", schema=("integer",), convert=int, like="3")]
Slug = Annotated[Scalar, Word("a name", pattern=r"[a-z][a-z0-9_-]*", like="orders")]
TableName = Annotated[Scalar, Word("a table's name", pattern=r"[^\s.{}]+(\.[^\s.{}]+)*", like="shop.orders")]
ColumnName = Annotated[
    Scalar, Word("a column's name", pattern=r"[^\s.{}]+", schema=("string", "number", "boolean"), like="order_id")
]
ColumnPath = Annotated[Scalar, Word("a column", pattern=r"[^\s.{}]+(\.[^\s.{}]+)*", like="tot_amt")]
RelationName = Annotated[
    Scalar, Word("a relation's name", pattern=r"[a-z][A-Za-z0-9_]*", reserved=KEYWORDS, like="lines")
]
RelationPath = Annotated[
    Scalar, Word("a relation", pattern=r"[a-z][A-Za-z0-9_]*(\.[a-z][A-Za-z0-9_]*)*", like="payments.moves")
]
ATTRIBUTE_NAME: Final = Word("an attribute's name", pattern=r"[a-z][A-Za-z0-9]*", reserved=KEYWORDS, like="placedAt")
AttributeName = Annotated[Scalar, ATTRIBUTE_NAME]
FieldName = Annotated[Scalar, Word("a lowerCamel name", pattern=r"[a-z][A-Za-z0-9]*", like="placedAt")]
AttributePath = Annotated[
    Scalar, Word("an attribute", pattern=r"[a-z][A-Za-z0-9_]*(\.[a-z][A-Za-z0-9_]*)*", like="placedAt")
]
FactName = Annotated[
    Scalar, Word("a fact's name", pattern=r"[a-z][a-z0-9]*(\.[a-z][a-zA-Z0-9]*)+", like="order.delivery")
]
TypeName = Annotated[Scalar, Word("an UpperCamel name", pattern=r"[A-Z][A-Za-z0-9]*", like="OrderPlaced")]
Anything = Annotated[Any, AnyNode()]


def shape_of(node: object) -> str:
    """Return the tag of a node's shape, for unions of shapes; tags look like no key of a document."""
    return "<map>" if isinstance(node, MapNode) else "<list>" if isinstance(node, SeqNode) else "<text>"


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Stand in a union for whatever fits none of its forms, and say what was expected."""

    explain: Callable[[Node], PydanticCustomError]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        def fail(node: Any) -> Any:
            raise self.explain(node)

        return core_schema.no_info_plain_validator_function(fail)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        raise PydanticOmit


def by_shape(*shapes: str) -> Discriminator:
    """Choose between forms by the shape of what is written, of `text`, `list` and `map`."""
    known = {f"<{shape}>" for shape in shapes}
    return Discriminator(lambda node: tag if (tag := shape_of(node)) in known else "<else>")


def expected(what: str) -> Otherwise:
    """Make the branch of a union for a shape that none of its forms has."""
    return Otherwise(lambda node: refuse("DOC003", f"expected {what}, found {describe(node)}"))


Names = Annotated[
    Annotated[ColumnName, Tag("<text>")]
    | Annotated[list[ColumnName], Field(min_length=1), Tag("<list>")]
    | Annotated[Any, expected("a column or a list of columns"), Tag("<else>")],
    by_shape("text", "list"),
]


def listed(names: Scalar | Sequence[Scalar]) -> tuple[Scalar, ...]:
    """Return one name or several as a tuple."""
    return (names,) if isinstance(names, Scalar) else tuple(names)


def default(text: str) -> Scalar:
    """Make the text that a field has when it is not written."""
    return Scalar(text)


class Form(BaseModel):
    """A map of a document: every key known, every value typed, and the place remembered."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, protected_namespaces=())
    _place: Place = PrivateAttr(default=Place(""))

    @property
    def place(self) -> Place:
        """Return where the map begins."""
        return self._place

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Return the keys that may be written, in the order of the model."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())

    @model_validator(mode="wrap")
    @classmethod
    def _remember(cls, node: Any, handler: ModelWrapValidatorHandler[Form]) -> Form:
        if not isinstance(node, MapNode):
            raise refuse("DOC003", f"expected a map with {', '.join(cls.keys())}; found {describe(node)}")
        node.allowed = cls.keys()
        form = handler(node)
        form._place = node.place
        return form


F = TypeVar("F", bound=Form)


def validate(model: type[F], root: MapNode, findings: Findings) -> tuple[F | None, tuple[Loc, ...]]:
    """Validate a document; return it, or the locations of what is wrong after noting each as a finding."""
    try:
        return model.model_validate(root), ()
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    locations = []
    for each in errors:
        extra = each["type"] == "extra_forbidden"
        path, node, key = follow(root, each["loc"][:-1] if extra else each["loc"])
        path = (*path, each["loc"][-1]) if extra else path
        locations.append(path)
        _report(each, node, key, findings)
    return None, tuple(locations)


def follow(root: Node, loc: Loc) -> tuple[Loc, Node, Scalar | None]:
    """Walk a location of pydantic's down the nodes, past the tags of unions, which stand in no file.

    Returns the location without tags, the deepest node, and the key in it if the location ends at a key.
    """
    node: Any = root
    path: list[int | str] = []
    for n, part in enumerate(loc):
        if isinstance(node, MapNode) and isinstance(part, str) and part in node:
            path.append(part)
            if loc[n + 1 : n + 2] == ("[key]",):
                return tuple(path), node, node.key(part)
            node = node[part]
        elif isinstance(node, SeqNode) and isinstance(part, int) and part < len(node):
            path.append(part)
            node = node[part]
    return tuple(path), node, None


def _report(error: Any, node: Node, key: Scalar | None, findings: Findings) -> None:
    kind, last = error["type"], error["loc"][-1]
    place = key.place if key is not None else node.place
    match kind:
        case "missing":
            findings.add(place, "DOC002", f"`{last}` is missing")
        case "extra_forbidden":
            assert isinstance(node, MapNode)
            free = [name for name in node.allowed if name not in node]
            findings.add(node.key(last).place, "DOC001", f"unknown key `{last}`", did_you_mean(last, free))
        case "dict_type" | "list_type":
            expected = "a map" if kind == "dict_type" else "a list"
            findings.add(place, "DOC003", f"expected {expected}, found {describe(node)}")
        case "too_short":
            findings.add(place, "DOC003", "nothing stands in it; name at least one")
        case _:
            context = error.get("ctx", {})
            if context.get("key") and isinstance(node, MapNode):
                place = node.key(context["key"]).place
            findings.add(place, kind, context.get("message", error["msg"]), context.get("hint", ""))
