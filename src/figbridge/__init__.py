"""figbridge: row changes of a monolith become domain events, routed by who owns the fact."""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Return `__version__`, looked up when it is asked for: reading the installed metadata takes a while."""
    if name == "__version__":
        from importlib.metadata import version

        return version("figbridge")
    raise AttributeError(name)
