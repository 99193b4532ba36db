"""What Connect's answers mean: each one an error of ours with a hint. Texts come scrubbed of secrets."""

from __future__ import annotations

import re
from typing import Any, Final

import requests

from figbridge.adapters.connect.secrets import Scrubber
from figbridge.errors import FigbridgeError, OperationalError, Refused, Unreachable

_EXISTS: Final = re.compile(r"^Connector \S+ already exists$")
_COUNT: Final = re.compile(r"contains the following \d+ error\(s\):\s*(?P<fields>.*?)\s*You can also find", re.DOTALL)
_SECRET_FILE: Final = re.compile(r"Could not read properties from file (?P<file>\S+)")
_LONGEST: Final = 600


class Busy(Exception):
    """Connect is rebalancing, or its leader is not known: ask again."""


class Invalid(Exception):
    """Connect refuses a configuration; `messages` are its texts, one for each field."""

    def __init__(self, messages: tuple[str, ...]) -> None:
        super().__init__("; ".join(messages))
        self.messages = messages


def read(answer: requests.Response, scrubber: Scrubber, what: str) -> Any:
    """Return the JSON of a good answer, None without one. Raises Busy, Invalid, Refused, Unreachable, or
    OperationalError for a failure inside Connect."""
    if 300 <= answer.status_code < 400:
        raise Unreachable(
            f"{answer.request.url} sends elsewhere, and nothing is followed.", hint="check connect.url", code="CON007"
        )
    if answer.ok:
        return _json(answer) if answer.content else None
    message = scrubber.clean(_message(answer))
    match answer.status_code:
        case 409 if not _EXISTS.match(message):
            raise Busy(message)
        case 400 if fields := _fields(message):
            raise Invalid(fields)
        case _:
            raise _error(answer.status_code, message, what)


def _error(status: int, message: str, what: str) -> FigbridgeError:
    said = f"Connect says to {what}: {_cut(message)}"
    if unread := _SECRET_FILE.search(message):
        hint = "it must be on every worker, where config.providers.file.param.allowed.paths allows it"
        return Refused(f"a worker cannot read {unread['file']}, which a secret refers to", hint=hint, code="CON037")
    match status:
        case 401 | 403:
            return Refused(said, hint="set connect.user and connect.password_file", code="CON008")
        case 404:
            return Refused(said, hint="figbridge connectors plan shows which there are", code="CON002")
        case 400 | 405 | 409 | 422:
            return Refused(said, hint="figbridge connectors status shows what it does now", code="CON009")
        case _:
            return OperationalError(
                said, hint="the worker's log says more; try again, or look at its group", code="CON005", status=status
            )


def _fields(message: str) -> tuple[str, ...]:
    """Return the texts of an invalid configuration, one for each field that is wrong."""
    found = _COUNT.search(message)
    return tuple(line.strip() for line in found["fields"].splitlines() if line.strip()) if found else ()


def _message(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    return f"{answer.status_code} {answer.reason}"


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise Unreachable(
            f"What answers at {answer.request.url} is not Kafka Connect.", hint="check connect.url", code="CON007"
        ) from None


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
