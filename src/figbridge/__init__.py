"""figbridge: row changes of a monolith become domain events, routed by who owns the fact."""

from importlib.metadata import version as _version

__all__ = ["__version__"]

__version__ = _version("figbridge")
