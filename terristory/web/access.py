"""Who may use a route: each view carries a mark, and a test refuses a route without one."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """OPEN to all; a MEMBER of the region; its ADMIN; the OPERATOR's token; in DEVELOPMENT only."""

    OPEN = "open"
    MEMBER = "member"
    ADMIN = "admin"
    OPERATOR = "operator"
    DEVELOPMENT = "development"


def declare_access(access: Access) -> Callable[[View], View]:
    """Mark a view with who may use it. The guards of `auth` both mark and enforce."""

    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def open_to_all(view: View) -> View:
    """Mark a view that anybody may use, signed in or not."""
    return declare_access(Access.OPEN)(view)
