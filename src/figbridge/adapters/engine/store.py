"""Write the file that Debezium reads its offset from: a serialised java.util.HashMap of bytes to bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from figbridge.adapters.engine import position


def write(jpype: Any, path: Path, prefix: str, point: position.Offset | None) -> None:
    """Replace the file by one that holds this point only, or by no file."""
    path.unlink(missing_ok=True)
    if point is None:
        return
    octets = jpype.JArray(jpype.JByte)
    entries = jpype.JClass("java.util.HashMap")()
    entries.put(octets(position.key(prefix)), octets(position.encode(point)))
    stream = jpype.JClass("java.io.ObjectOutputStream")(jpype.JClass("java.io.FileOutputStream")(str(path)))
    stream.writeObject(entries)
    stream.close()
