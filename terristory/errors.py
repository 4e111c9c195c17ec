"""Errors of the domain: each names its situation with a stable code; the doors choose words and status."""

from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What sort of situation an error is; its value is the HTTP status the doors answer with (RFC 9110)."""

    MALFORMED = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    CONFLICT = 409
    GONE = 410
    TOO_LARGE = 413
    UNSUPPORTED = 415
    UNPROCESSABLE = 422
    TOO_MANY = 429
    UNAVAILABLE = 503


class DomainError(Exception):
    """A situation the caller may know about. Subclasses set `code` (stable, snake_case) and `kind`.

    `retry_after` (whole seconds) is set by situations that pass by themselves.
    """

    code: ClassVar[str] = "domain_error"
    kind: ClassVar[Kind] = Kind.CONFLICT

    def __init__(self, *, retry_after: int | None = None) -> None:
        super().__init__(self.code)
        self.retry_after = retry_after
