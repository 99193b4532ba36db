"""The settings that are in force, each with where it comes from; secrets are masked."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, SecretStr

from figbridge.errors import Place
from figbridge.settings import Settings, written_in

MASK: Final = "********"
_SECRET: Final = re.compile(r"password|secret|token|jaas|key\.pem", re.IGNORECASE)
"""Names of settings that are passed through to others, librdkafka's among them, whose values nobody may read."""


class Effective(NamedTuple):
    """One setting: its path with dots, its value, and its origin: option, environment VARIABLE, FILE:line:column,
    or default."""

    name: str
    value: Any
    origin: str


def effective(settings: Settings, file: Path | None, options: Collection[str]) -> tuple[Effective, ...]:
    """Return every setting in the order of the documentation. `options` names those that the command line gave.

    Raises ConfigurationError when the file cannot be read any more.
    """
    places = written_in(file)[1] if file is not None else {}
    return tuple(
        Effective(".".join(path), _shown(path, value), _origin(path, places, options))
        for path, value in _leaves(settings)
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield path and value of everything that is set or has a default; empty maps are leaves."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    else:
        yield path, value


def _shown(path: tuple[str, ...], value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    if isinstance(value, Path):  # also of a file that holds a secret: whoever mends it must know which
        return str(value)
    if _SECRET.search(path[-1]) and not path[-1].endswith("_file") and value not in (None, ""):
        return MASK
    return value


def _origin(path: tuple[str, ...], places: Mapping[tuple[str, ...], Place], options: Collection[str]) -> str:
    """Return where a setting comes from; whoever wins is asked first, as in `load_settings`."""
    if path[0] in options:
        return "option"
    known = {name.upper(): name for name in os.environ}
    for end in range(len(path), 0, -1):  # a variable may hold a whole map as JSON
        variable = known.get(f"FIGBRIDGE_{'__'.join(path[:end])}".upper())
        if variable is not None:
            return f"environment {variable}"
    return str(places[path]) if path in places else "default"
