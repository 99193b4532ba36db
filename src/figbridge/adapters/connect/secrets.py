"""Keep secrets out of what is shown: those in live configurations, and those that Connect repeats in its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from figbridge.domain.secret import is_reference, is_secret

HIDDEN: Final = "(hidden)"

_WRITTEN: Final = re.compile(r"""(?i)((?:passw(?:or)?d|pwd|secret|token)["']?\s*[=:]\s*["']?)([^\s"',;&}]+)""")
_IN_ADDRESS: Final = re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)")
_SHORT: Final = 3


def hide(config: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration without its secrets: a reference stays, a secret that is written out is hidden."""
    return {name: _shown(name, value) for name, value in config.items()}


def _shown(name: str, value: str) -> str:
    if is_secret(name) and value and not is_reference(value):
        return HIDDEN
    return _IN_ADDRESS.sub(rf"\g<1>{HIDDEN}", value)


class Scrubber:
    """Take secrets out of texts: every one that was seen in a configuration, and whatever is written as one."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def learn(self, config: Mapping[str, str]) -> None:
        """Remember the secrets that are written out in a configuration."""
        for name, value in config.items():
            if is_secret(name) and not is_reference(value) and len(value) > _SHORT:
                self._seen.add(value)

    def clean(self, text: str) -> str:
        """Return a text without secrets."""
        for value in sorted(self._seen, key=len, reverse=True):
            text = text.replace(value, HIDDEN)
        text = _WRITTEN.sub(lambda m: m[0] if m[2].startswith("${") else f"{m[1]}{HIDDEN}", text)
        return _IN_ADDRESS.sub(rf"\g<1>{HIDDEN}", text)
