"""Tickets: the way in for a browser without script. It costs a wait instead of work, and few pass per network."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from terristory.captcha.challenge import spend_nonce
from terristory.captcha.models import TicketQuota
from terristory.database import take_from_quota

LIFE = timedelta(days=1)
MOST_PER_HOUR = 10
MOST_CHARACTERS = 400
_keys: list[bytes] = []


@dataclass(frozen=True)
class Valid:
    """A ticket that counts, not yet spent."""

    nonce: str
    expires_at: datetime


@dataclass(frozen=True)
class TooEarly:
    """A ticket that will count in so many `seconds`."""

    seconds: int


@dataclass(frozen=True)
class Refused:
    """No ticket of ours for this form, or one that is too old."""


def use_ticket_keys(keys: Sequence[bytes]) -> None:
    """Set the keys, newest first: the first signs, all open. Called once when the app is built."""
    # itsdangerous wants the oldest key first and signs with the last.
    _keys[:] = list(reversed(keys))


def issue_ticket(form: str, region: str, *, now: datetime) -> str:
    """Return a signed ticket for one form of one region; the wait counts from `now`."""
    return str(_serializer(form, region).dumps([round(now.timestamp() * 1000), secrets.token_hex(16)]))


def check_ticket(
    ticket: str, *, form: str, region: str, wait_seconds: int, now: datetime
) -> Valid | TooEarly | Refused:
    """Judge a ticket without spending it: it counts `wait_seconds` after it was issued, for a day."""
    try:
        issued_ms, nonce = _serializer(form, region).loads(ticket[: MOST_CHARACTERS + 1])
    except (BadData, TypeError, ValueError):
        return Refused()
    issued_at = datetime.fromtimestamp(issued_ms / 1000, UTC)
    if now >= issued_at + LIFE:
        return Refused()
    left = (issued_at + timedelta(seconds=wait_seconds) - now).total_seconds()
    return TooEarly(math.ceil(left)) if left > 0 else Valid(f"ticket:{nonce}", issued_at + LIFE)


def spend_ticket(ticket: Valid) -> bool:
    """Mark a ticket as served, in the caller's transaction; False when it has served before."""
    return spend_nonce(ticket.nonce, ticket.expires_at)


def take_from_ticket_quota(network: str, *, now: datetime) -> bool:
    """Count a ticket for its network, in the caller's transaction; False beyond MOST_PER_HOUR."""
    return take_from_quota(TicketQuota, network, most=MOST_PER_HOUR, period=timedelta(hours=1), now=now)


def _serializer(form: str, region: str) -> URLSafeSerializer:
    return URLSafeSerializer(list(_keys), salt=f"ticket:{form}:{region}")
