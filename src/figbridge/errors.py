"""The one tree of errors.

FigbridgeError               code, facts, hint
├── ConfigurationError       a file or a setting that a person can mend; carries every finding
├── OperationalError         the world is not as it must be; a retry may help
│   ├── Unreachable          a server, a port, a file that does not answer
│   ├── Fenced               another process has taken this work over
│   └── Refused              a precondition does not hold; nothing was changed
└── InvariantError           a defect of figbridge itself; never retried
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Point at a character of a file; lines and columns count from 1, 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Say one thing that is wrong with a file: where, a stable code, the fact, and what to do."""

    place: Place
    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.place}: {self.code} {self.message}{hint}"


class FigbridgeError(Exception):
    """Carry a stable code, the facts of the failure and a hint on what to do next."""

    code = "FIG000"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.facts = facts
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.code} {self.message}" + (f" ({self.hint})" if self.hint else "")


class ConfigurationError(FigbridgeError):
    """Report every finding in the files a person wrote, not only the first."""

    code = "CFG000"

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings))
        super().__init__("\n".join(str(f) for f in self.findings))

    def __str__(self) -> str:
        return self.message


class OperationalError(FigbridgeError):
    """The world is not as it must be; trying again later may help."""

    code = "OPS000"


class Unreachable(OperationalError):
    """A server, a port or a file does not answer."""

    code = "OPS001"


class Fenced(OperationalError):
    """Another process has taken this work over; what was not committed here is void."""

    code = "OPS002"


class Refused(OperationalError):
    """A precondition does not hold; nothing was changed."""

    code = "OPS003"


class InvariantError(FigbridgeError):
    """A rule that figbridge itself must keep is broken; report it, do not retry."""

    code = "BUG000"
