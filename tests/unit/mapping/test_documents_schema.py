"""The JSON Schemas: current, and in the subset that editors speak."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from documents_support import DESIGN, FIXTURES, REPOSITORY, edited

from figbridge.mapping.schema import DOCUMENTS, main, render, schema

COMMON = {
    "$schema", "$defs", "$ref", "allOf", "anyOf", "type", "properties", "required", "additionalProperties",
    "patternProperties", "propertyNames", "items", "enum", "const", "pattern", "minItems", "maxItems", "minProperties",
    "maxProperties", "default", "description",
}  # fmt: skip
"""Keywords that mean the same in draft-07 and 2020-12 ($defs is only a place that references name)."""


def keywords(node: Any, *, names: bool = False) -> Iterator[str]:
    """Yield every keyword of a schema; under `properties` and `$defs` keys are names."""
    if isinstance(node, list):
        for each in node:
            yield from keywords(each)
    elif isinstance(node, dict):
        for key, value in node.items():
            if not names:
                yield key
            if names or key not in ("default", "enum", "required"):
                yield from keywords(value, names=not names and key in ("properties", "patternProperties", "$defs"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_schema_is_current(name: str) -> None:
    """The committed schema is what the models give: `python -m figbridge.mapping.schema mappings/schema`."""
    assert (REPOSITORY / "mappings" / "schema" / f"{name}.json").read_text(encoding="utf-8") == render(name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_schema_stays_in_the_common_subset(name: str) -> None:
    """A schema uses only keywords that draft-07 tools and 2020-12 tools read alike, and names draft-07."""
    made = schema(name)
    assert set(keywords(made)) <= COMMON
    assert made["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert made["additionalProperties"] is False


def references(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every map of a schema that refers to another."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(each)
    if isinstance(node, dict) and "$ref" in node:
        yield node


@pytest.mark.parametrize("name", DOCUMENTS)
def test_nothing_stands_beside_a_reference(name: str) -> None:
    """A draft-07 tool ignores what stands beside a $ref, so nothing does."""
    assert all(set(each) == {"$ref"} for each in references(schema(name)))


def forms(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of a schema with its name."""
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties.items()
        for value in node.values():
            yield from forms(value)
    elif isinstance(node, list):
        for value in node:
            yield from forms(value)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_is_described(name: str) -> None:
    """Every field of every document has a description, which editors show."""
    undescribed = [field for field, written in forms(schema(name)) if not written.get("description")]
    assert undescribed == []


def test_schemas_are_written(tmp_path) -> None:
    """The command writes one file for each document."""
    main(str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.json" for name in DOCUMENTS}


def fits(written: dict[str, Any], root: dict[str, Any], value: Any) -> bool:
    """Say whether a value is valid, as a schema tool judges it that knows the keywords used here."""
    if "$ref" in written:
        return fits(root["$defs"][written["$ref"].rpartition("/")[2]], root, value)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "number": (int, float), "integer": int}
    types = written.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(value is None if t == "null" else isinstance(value, kinds[t]) for t in types):
        return False
    if "enum" in written and not any(value == each and type(value) is type(each) for each in written["enum"]):
        return False
    if isinstance(value, str) and not re.search(written.get("pattern", ""), value):
        return False
    if not all(fits(each, root, value) for each in written.get("allOf", [])):
        return False
    if "anyOf" in written and not any(fits(each, root, value) for each in written["anyOf"]):
        return False
    if isinstance(value, list):
        return len(value) >= written.get("minItems", 0) and all(
            fits(written.get("items", {}), root, each) for each in value
        )
    return not isinstance(value, dict) or object_fits(written, root, value)


def object_fits(written: dict[str, Any], root: dict[str, Any], value: dict[str, Any]) -> bool:
    """Say whether a map is valid."""
    if not set(written.get("required", [])) <= set(value) or len(value) < written.get("minProperties", 0):
        return False
    for key, each in value.items():
        schemas = [written["properties"][key]] if key in written.get("properties", {}) else []
        schemas += [s for pattern, s in written.get("patternProperties", {}).items() if re.search(pattern, key)]
        others = written.get("additionalProperties", True)
        if not schemas and others is False:
            return False
        schemas = schemas or ([others] if isinstance(others, dict) else [])
        if not all(fits(schema, root, each) for schema in schemas):
            return False
    return True


class Editor(yaml.SafeLoader):
    """Read YAML as an editor does: 1.2's booleans, null and numbers."""

    yaml_implicit_resolvers: ClassVar = {}


Editor.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
Editor.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("^(null|~)$"), list("n~"))
Editor.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^-?(0|[1-9][0-9]*)$"), list("-0123456789"))
Editor.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def as_an_editor(text: str) -> Any:
    """Return a document as JSON, the way a schema tool sees it."""
    return json.loads(json.dumps(yaml.load(text, Loader=Editor)))


MAPPINGS = REPOSITORY / "mappings"
EXAMPLES = [
    *[("mapping", path) for path in sorted(MAPPINGS.glob("*.yaml")) if path.name != "facts.yaml"],
    ("mapping", FIXTURES / "design.yaml"),
    *[("service", path) for path in sorted((MAPPINGS / "services").glob("*.yaml"))],
    ("facts", MAPPINGS / "facts.yaml"),
    ("tables", MAPPINGS / "schema" / "tables.yaml"),
]


@pytest.mark.parametrize(("name", "path"), EXAMPLES, ids=lambda each: getattr(each, "name", each))
def test_what_loads_is_valid_in_an_editor(name: str, path: Path) -> None:
    """A document that loads has no red line in an editor."""
    made = schema(name)
    assert fits(made, made, as_an_editor(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("price: {money: prc", "price: {moeny: prc"),
        ("version: 3", "version: three"),
        ("before: required", "before: requird"),
        ("fact: order.delivery", "fakt: order.delivery"),
        ("snapshot: OrderKnown", "snapshot: [OrderKnown]"),
        ("expect: nothing", "expect: nothin"),
    ],
)
def test_what_does_not_load_is_red_in_an_editor(old: str, new: str) -> None:
    """A mistake in the shape of a document is seen in an editor, too."""
    made = schema("mapping")
    assert not fits(made, made, as_an_editor(edited(DESIGN, (old, new))))
