"""Find the one line of a Java stack trace that says why."""

from __future__ import annotations

import re
from typing import Final

_CLASS: Final = re.compile(r"^(?:[a-z_][\w$]*\.)+([A-Z][\w$]*)(?:: ?(.*))?$")


def cause(trace: str) -> str:
    """Return the innermost reason of a trace in one line, without the packages of its class."""
    heads = [
        line.strip().removeprefix("Caused by: ")
        for n, line in enumerate(trace.splitlines())
        if n == 0 or line.startswith("Caused by: ")
    ]
    said = [text for head in heads if (text := _text(head))]
    return said[-1] if said else ""


def _text(head: str) -> str:
    """Return what an exception says; a class that says nothing by its name. A message may repeat another's class."""
    found = _CLASS.match(head)
    if found is None:
        return head
    name, message = found[1], (found[2] or "").strip()
    inner = _text(message) if _CLASS.match(message) else message
    return inner or name
