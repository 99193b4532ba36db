"""Headers as one compact value: MessagePack, NULL for none."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from figbridge.ports import Headers

_decoder = msgspec.msgpack.Decoder(tuple[tuple[str, bytes | None], ...])
_encoder = msgspec.msgpack.Encoder()

# Thousands of records in a row carry the same headers: a look-up instead of the work, both ways.


@lru_cache(maxsize=4096)
def packed(headers: Headers) -> bytes | None:
    """Return headers as they are stored."""
    return _encoder.encode(headers) if headers else None


@lru_cache(maxsize=4096)
def unpacked(stored: bytes | None) -> Headers:
    """Return stored headers as they were given."""
    return _decoder.decode(stored) if stored else ()
