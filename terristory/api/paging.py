"""Keyset paging: a cursor names the last row seen, so a deep page costs what the first one costs."""

import base64
import binascii
import json
from typing import Any

from terristory.errors import DomainError, Kind

# Two names of 100 characters, each written as two \uXXXX (most old scripts), in base64; and what goes with them.
MOST_CURSOR = 3400


class BadCursor(DomainError):
    """A cursor that we did not make."""

    code = "bad_cursor"
    kind = Kind.UNPROCESSABLE


def encode_cursor(*keys: str | int) -> str:
    """Return an opaque cursor for the sort keys of the last row shown."""
    return base64.urlsafe_b64encode(json.dumps(keys, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, types: tuple[type[str] | type[int], ...]) -> tuple[Any, ...] | None:
    """Return the sort keys that a cursor holds, or None without one. Raises BadCursor for anything we did not make."""
    if not cursor:
        return None
    if len(cursor) > MOST_CURSOR or not cursor.isascii():
        raise BadCursor
    try:
        keys = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    if not isinstance(keys, list) or len(keys) != len(types):
        raise BadCursor
    for key, wanted in zip(keys, types, strict=True):
        if type(key) is not wanted or (isinstance(key, int) and not -(2**62) < key < 2**62) or not _is_storable(key):
            raise BadCursor
    return tuple(keys)


def _is_storable(key: str | int) -> bool:
    """Neither NUL nor lone surrogates, which JSON can write and databases do not take."""
    text = str(key)
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
