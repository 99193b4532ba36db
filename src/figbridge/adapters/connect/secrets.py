"""Keep secrets out of what is shown: those in live configurations, and those that Connect repeats in its answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

HIDDEN: Final = "(hidden)"

_SECRET_NAME: Final = re.compile(
    r"passw|passphrase|secret|token|credential|jaas|api\.?key|keystore\.key|private\.?key|\bpwd\b", re.IGNORECASE
)
_REFERENCES: Final = re.compile(r"\$\{[^${}]+\}")
_WRITTEN: Final = re.compile(r"""(?i)((?:passw(?:or)?d|pwd|secret|token)["']?\s*[=:]\s*["']?)([^\s"',;&}]+)""")
_IN_ADDRESS: Final = re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)")
_SHORT: Final = 3
_JAAS_REST: Final = re.compile(
    r"""[\s;]|org\.apache\.kafka[\w.]*|required|(?:username|password)\s*=|["']""", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Say whether a setting holds a secret, by its name."""
    return _SECRET_NAME.search(name) is not None


def is_reference(value: str) -> bool:
    """Say whether a secret's value is made of references alone, such as `${file:/run/secrets/db:password}`.

    A JAAS line holds words besides; of it everything that is no keyword must be a reference.
    """
    rest = _REFERENCES.sub("", value)
    return rest != value and not _JAAS_REST.sub("", rest)


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
