"""The id of the request (or command) at work, for logs, problems and the audit trail. Knows no web library."""

from contextvars import ContextVar
from secrets import token_hex

_current: ContextVar[str] = ContextVar("request_id", default="")


def begin_request_id() -> str:
    """Give the work that starts now a fresh id (never the client's: it would be written to the logs)."""
    fresh = token_hex(8)
    _current.set(fresh)
    return fresh


def current_request_id() -> str:
    """Return the id of the work at hand, or an empty string outside any."""
    return _current.get()
