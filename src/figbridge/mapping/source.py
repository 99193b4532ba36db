"""Python source in the making: lines, indentation, and constants under invented names.

Nothing a user wrote is ever part of the source: texts, codes and column names are constants or field numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Source:
    """Collect lines of generated code and the constants they name."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = dict(names)
        self._lines: list[str] = []
        self._depth = 0
        self._serial = 0

    def line(self, code: str) -> None:
        """Add one line at the present depth."""
        self._lines.append("    " * self._depth + code)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a head line and indent what follows."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def function(self, head: str) -> Iterator[None]:
        """Add a function at depth 0, ahead of the one that is being written."""
        lines, depth = self._lines, self._depth
        self._lines, self._depth = [], 0
        with self.block(head):
            yield
        self._lines, self._depth = [*self._lines, "", *lines], depth

    def fresh(self, prefix: str) -> str:
        """Return a name that nothing has yet."""
        self._serial += 1
        return f"{prefix}{self._serial}"

    def constant(self, value: Any) -> str:
        """Return an expression for a value: a literal for small numbers and truth, else an invented name."""
        if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1 << 62):
            return repr(value)
        name = self.fresh("K")
        self.names[name] = value
        return name

    def text(self) -> str:
        """Return the source."""
        return "\n".join(self._lines) + "\n"

    def build(self, filename: str) -> dict[str, Any]:
        """Compile and run the source; returns its names."""
        found = dict(self.names)
        exec(compile(self.text(), filename, "exec"), found)  # noqa: S102 — the text is made of invented names only
        return found
