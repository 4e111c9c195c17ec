"""Asking once more for the current password, before what an unlocked screen must not allow (ASVS 5.0, 7.5.1)."""

from terristory.auth.authenticate import Right, Throttled, check_current_password
from terristory.auth.cookies import visit_of_request
from terristory.clock import utc_now
from terristory.errors import DomainError, Kind
from terristory.user.models import User
from terristory.web.settings_in_force import settings_in_force


class TooManyTries(DomainError):
    """Too many wrong current passwords: the next one is looked at in `retry_after` seconds."""

    code = "too_many_tries"
    kind = Kind.TOO_MANY


def is_current_password(user: User, password: str) -> bool:
    """Return whether this is the password of somebody signed in; a wrong one is counted by the sign-in's throttle.

    Opens transactions and verifies with Argon2: call it outside a transaction. Raises TooManyTries and HashingBusy.
    """
    visit = visit_of_request()
    outcome = check_current_password(
        user,
        password,
        device_digest=visit.device_digest,
        network=visit.network,
        throttled=settings_in_force().rate_limits,
        now=utc_now(),
    )
    if isinstance(outcome, Throttled):
        raise TooManyTries(retry_after=outcome.retry_after)
    return isinstance(outcome, Right)
