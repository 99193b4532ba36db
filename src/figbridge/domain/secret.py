"""What counts as a secret among settings, and what as a reference to one."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(
    r"passw|passphrase|secret|token|credential|jaas|api\.?key|keystore\.key|private\.?key|\bpwd\b", re.IGNORECASE
)
_REFERENCES: Final = re.compile(r"\$\{[^${}]+:[^${}]+\}")
_WORDS_OF_JAAS: Final = re.compile(
    r"""[\s;]|[\w.]+LoginModule|required|(?:username|user|password|unsecured\w*)\s*=|["']""", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Say whether a setting holds a secret, by its name."""
    return _NAME.search(name) is not None


def is_reference(value: str) -> bool:
    """Say whether a secret's value is made of references alone, such as `${file:/run/secrets/db:password}`.

    A JAAS line holds words besides; of it everything that is none of its own words must be a reference.
    """
    rest = _REFERENCES.sub("", value)
    return rest != value and not _WORDS_OF_JAAS.sub("", rest)
