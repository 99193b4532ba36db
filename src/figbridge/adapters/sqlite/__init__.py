"""The embedded log and state: one SQLite file, one SQL transaction per commit."""

from figbridge.adapters.sqlite.database import Durability
from figbridge.adapters.sqlite.log import SqliteLog

__all__ = ["Durability", "SqliteLog"]
