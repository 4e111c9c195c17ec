"""The region that this browser signed in to last, kept in Flask's signed session: the choice lists it first."""

from flask import session

LAST_REGION = "last_region"


def remember_region(key: str) -> None:
    """Keep the region for the visitor's next time."""
    session[LAST_REGION] = key


def last_region() -> str | None:
    """Return the key of that region, or None."""
    key = session.get(LAST_REGION)
    return key if isinstance(key, str) else None
