"""JSON Schemas of the documents, for editors and other tools: `python -m figbridge.mapping.schema mappings/schema`.

They are generated from the models in document.py and committed; a test fails when they are not current. They are valid
as draft 2020-12 and name draft-07, the newest that YAML editors speak.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from figbridge.mapping.connect.document import ConnectorForm
from figbridge.mapping.document import FactsForm, MappingForm, ServiceForm, TablesForm
from figbridge.mapping.parse_form import Form

DOCUMENTS: Final[dict[str, type[Form]]] = {
    "mapping": MappingForm,
    "service": ServiceForm,
    "facts": FactsForm,
    "tables": TablesForm,
    "connector": ConnectorForm,
}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a document: mapping, service, facts, tables or connector; raises KeyError."""
    made = DOCUMENTS[name].model_json_schema(by_alias=True)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_plain(made)}


def _plain(node: Any, *, names: bool = False) -> Any:
    """Rewrite what pydantic gives for the tools that read it; under `properties` a key is a name, not a keyword.

    The titles that it invents from field names go. Forms may overlap (a reader looks like a map of readers), so one of
    them is any of them. A draft-07 tool sees nothing beside a $ref, so what stands beside it goes into an allOf.
    """
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: _plain(value) for key, value in node.items()}
    if "$ref" in node and len(node) > 1:
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _plain({**rest, "allOf": [{"$ref": node["$ref"]}]})
    return {
        "anyOf" if key == "oneOf" else key: _plain(value, names=key in ("properties", "patternProperties", "$defs"))
        for key, value in node.items()
        if key != "title"
    }


def render(name: str) -> str:
    """Return the text of a document's committed schema."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


def main(directory: str) -> None:
    """Write every schema to a directory."""
    for name in DOCUMENTS:
        (Path(directory) / f"{name}.json").write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
