"""The JSON Schemas: current, and in the subset that editors speak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from documents_support import REPOSITORY

from figbridge.mapping.schema import DOCUMENTS, main, render, schema

COMMON = {
    "$schema", "$defs", "$ref", "allOf", "oneOf", "anyOf", "type", "properties", "required", "additionalProperties",
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
