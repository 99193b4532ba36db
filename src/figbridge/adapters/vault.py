"""What a dead letter keeps of its record: nothing, the record encrypted, or in clear where every column is safe.

Encryption is Fernet of the package cryptography (AES-128-CBC with HMAC-SHA-256; the specification is at
https://github.com/fernet/spec). A key file has one key a line: the first encrypts, all of them decrypt, so a key is
changed by putting a new one in front.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec

from figbridge.domain.change import Position
from figbridge.errors import ConfigurationError, Finding, Place, Refused, Unreachable
from figbridge.ports import Record

_HINT: Final = "figbridge dead-letters key > FILE writes one"


class _Kept(msgspec.Struct, frozen=True):
    """A record without its place, of bytes: encoded as JSON they are base64."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int


class _Clear(msgspec.Struct, frozen=True):
    """The same of texts, for people to read."""

    key: str | None
    value: str | None
    headers: tuple[tuple[str, str | None], ...]
    timestamp: int


_decode: Final = msgspec.json.Decoder(_Kept).decode


def _clear(record: Record) -> _Clear:
    headers = tuple((name, None if value is None else value.decode()) for name, value in record.headers)
    key, value = (None if part is None else part.decode() for part in (record.key, record.value))
    return _Clear(key, value, headers, record.timestamp)


def _bytes(clear: _Clear) -> _Kept:
    headers = tuple((name, None if value is None else value.encode()) for name, value in clear.headers)
    key, value = (None if part is None else part.encode() for part in (clear.key, clear.value))
    return _Kept(key, value, headers, clear.timestamp)


class LetterVault:
    """Keep records in letters. `keep` is reference, encrypted or clear; `fernet` opens and closes what is encrypted."""

    def __init__(self, keep: str, fernet: Any = None, invalid: type[Exception] = ValueError) -> None:
        self._keep = keep
        self._fernet = fernet
        self._invalid = invalid

    def keep(self, record: Record, *, safe: bool) -> dict[str, Any]:
        """Return what the letter shall hold; in clear only what is safe."""
        if self._keep == "encrypted":
            kept = msgspec.json.encode(_Kept(record.key, record.value, record.headers, record.timestamp))
            return {"encrypted": self._fernet.encrypt(kept).decode()}
        if self._keep == "clear" and safe:
            with suppress(UnicodeDecodeError):  # a header may be no text: then the source log has the record
                return {"clear": msgspec.to_builtins(_clear(record))}
        return {}

    def open(self, kept: Mapping[str, Any], place: Position) -> Record | None:
        """Return the record that was kept; None when nothing was. Raises Refused for one that no key opens."""
        if "encrypted" in kept:
            return _record(_decode(self._decrypted(str(kept["encrypted"]))), place)
        if "clear" in kept:
            return _record(_bytes(msgspec.convert(kept["clear"], _Clear)), place)
        return None

    def _decrypted(self, token: str) -> bytes:
        if self._fernet is None:
            hint = "name the key file: setting dead_letter_key_file"
            raise Refused("the letter's record is encrypted, and there is no key", hint=hint, code="LET003")
        try:
            return bytes(self._fernet.decrypt(token.encode()))
        except self._invalid:
            hint = "put the key it was written with into the key file, on a line of its own"
            raise Refused("no key of the key file opens the letter's record", hint=hint, code="LET003") from None


def _record(kept: _Kept, place: Position) -> Record:
    return Record(*place, kept.key, kept.value, kept.headers, kept.timestamp)


def vault(keep: str, key_file: Path | None) -> LetterVault:
    """Return the vault that settings describe.

    Raises ConfigurationError when encryption has no key file, or one that cannot be read or holds no key, Unreachable
    when the package cryptography is not installed.
    """
    if key_file is None:
        if keep == "encrypted":
            raise _finding("dead_letter_key_file", "dead letters are to be encrypted, and no key file is named")
        return LetterVault(keep)
    try:
        keys = [line.strip() for line in key_file.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise _finding(str(key_file), getattr(error, "strerror", None) or "is not text") from None
    fernet = _module()
    try:
        made = fernet.MultiFernet([fernet.Fernet(key) for key in keys])
    except ValueError:
        raise _finding(str(key_file), "a line is no key") from None
    return LetterVault(keep, made, fernet.InvalidToken)


def new_key() -> str:
    """Return a new key for a key file. Raises Unreachable when the package cryptography is not installed."""
    return str(_module().Fernet.generate_key().decode())


def _finding(place: str, text: str) -> ConfigurationError:
    return ConfigurationError([Finding(Place(place), "SET006", text, _HINT)])


def _module() -> Any:
    try:
        return import_module("cryptography.fernet")
    except ImportError as error:
        hint = "pip install 'figbridge[encryption]'"
        raise Unreachable("The package cryptography is not installed.", hint=hint) from error
