"""The template of an aggregate's id: `order-{number}`."""

from __future__ import annotations

import re

from figbridge.mapping.model import Column
from figbridge.mapping.nodes import Scalar
from figbridge.mapping.parse_names import Scope


def read_template(text: Scalar, scope: Scope) -> tuple[str | Column, ...]:
    """Split a template into literal text and columns of the root."""
    parts: list[str | Column] = []
    for match in re.finditer(r"\{([^{}]*)\}|[^{}]+", text):
        name = match.group(1)
        if name is None:
            parts.append(match.group())
        else:
            column = Column("", name)
            scope.places.setdefault(f"id:{column}", text.at(match.start() + 1))
            parts.append(column)
    return tuple(parts)


def write_template(parts: tuple[str | Column, ...]) -> str:
    """Write a template as text."""
    return "".join(f"{{{part.name}}}" if isinstance(part, Column) else part for part in parts)
