"""The exit codes of every command: one enum, documented in docs/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum

from figbridge.errors import ConfigurationError, FigbridgeError, Refused


class Exit(IntEnum):
    """Say how a command ended."""

    OK = 0
    """It did what was asked."""
    FAILED = 1
    """It could not: the reason is on stderr."""
    USAGE = 2
    """It was called wrongly."""
    FINDINGS = 3
    """It did what was asked, and found something: malformed files, failed tests, differences."""
    REFUSED = 4
    """A precondition does not hold; nothing was changed."""
    INTERRUPTED = 130
    """It was stopped from the keyboard."""


def exit_for(error: FigbridgeError) -> Exit:
    """Return the exit code that an error ends a command with."""
    match error:
        case ConfigurationError():
            return Exit.FINDINGS
        case Refused():
            return Exit.REFUSED
        case _:
            return Exit.FAILED
