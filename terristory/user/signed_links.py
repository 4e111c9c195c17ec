"""Links that prove by their signature whom they were made for: the status page, « ce n'était pas moi »."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from itsdangerous import BadSignature, URLSafeTimedSerializer

_keys: list[bytes] = []


class LinkKind(StrEnum):
    """What a signed link opens; a link of one kind never opens another."""

    REQUEST = "request"
    NOT_ME = "not-me"


def use_link_keys(keys: Sequence[bytes]) -> None:
    """Set the keys, newest first: the first signs, all open. Called once when the app is built."""
    # itsdangerous wants the oldest key first and signs with the last.
    _keys[:] = list(reversed(keys))


def sign_link(kind: LinkKind, region: str, user_id: UUID) -> str:
    """Return the token of a link of this kind for an account of a region."""
    return str(_serializer(kind, region).dumps(user_id.hex))


def open_link(kind: LinkKind, region: str, token: str, *, max_age: int | None = None) -> UUID | None:
    """Return whom a link was made for, or None when it is not rightly signed or older than `max_age` seconds."""
    try:
        return UUID(hex=str(_serializer(kind, region).loads(token, max_age=max_age)))
    except (BadSignature, ValueError):
        return None


def _serializer(kind: LinkKind, region: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(list(_keys), salt=f"{kind}:{region}")
