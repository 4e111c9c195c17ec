"""Is it you? A mail address and a password are looked at here, for every door, under one throttle.

Three steps, because Argon2 must not run under a write lock and a try must be counted before it is looked at:
`weigh` counts in a short transaction of its own and verifies; `authenticate` settles in the door's transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal
from uuid import UUID

from sqlalchemy import update

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth import throttle
from terristory.auth.temporary_password import (
    Claimed,
    Dead,
    NotOne,
    claim_temporary_password,
    is_current_or_past_temporary,
)
from terristory.database import give_back_connection, transaction
from terristory.extensions import db
from terristory.passwords.hashing import hash_password, verify_password
from terristory.user.lookup import find_by_mail, lock_user, password_of
from terristory.user.mail_address import canonical_or_blank
from terristory.user.models import Status, User

FailureCode = Literal[
    "invalid_credentials",
    "captcha_required",
    "account_awaiting",
    "account_refused",
    "account_disabled",
    "account_closing",
    "temporary_password_expired",
    "temporary_password_used",
]
_CODES: dict[str, FailureCode] = {
    Status.AWAITING: "account_awaiting",
    Status.REFUSED: "account_refused",
    Status.DISABLED: "account_disabled",
}


@dataclass(frozen=True)
class Attempt:
    """A try: the region's key, what was typed, and from where (`device_digest` is "" for all but browsers)."""

    region: str
    login: str
    password: str = field(repr=False)
    device_digest: str
    network: str

    @cached_property
    def mail(self) -> str:
        """The canonical address; what was typed, folded, where it is no address."""
        return canonical_or_blank(self.login) or self.login.strip().casefold()[:254]

    @property
    def keys(self) -> throttle.Keys:
        """Under which names the throttle counts it."""
        return throttle.keys_of(self.region, self.mail, self.network)


@dataclass(frozen=True)
class Authenticated:
    """The right password of an account that may sign in. `temporary` is set when it was a temporary one."""

    user: User
    temporary: Claimed | None = None

    @property
    def user_id(self) -> dict[str, str]:
        """What the original's `authenticate` returned: the address and the region."""
        return {"mail": self.user.mail, "region": self.user.region}

    @property
    def must_change_password(self) -> bool:
        """Whether the session it opens may only choose a new password."""
        return self.temporary is not None


@dataclass(frozen=True)
class Failed:
    """Nobody signs in. `user` only after a right password; `captcha_next`: the next try needs the automatic check."""

    code: FailureCode
    user: User | None = None
    captcha_next: bool = False


@dataclass(frozen=True)
class Throttled:
    """Too many failures: the next try is looked at in `retry_after` seconds."""

    retry_after: int


@dataclass(frozen=True)
class Weighed:
    """A try whose password has been looked at, to be settled by `authenticate`."""

    attempt: Attempt
    user_id: UUID | None
    verified_hash: str | None
    right: bool
    maybe_temporary: bool
    captcha_next: bool
    throttled: bool
    new_hash: str | None = None


def weigh(
    attempt: Attempt, *, throttled: bool, spend_check: Callable[[], bool], now: datetime
) -> Weighed | Failed | Throttled:
    """Count the try, then look at its password: exactly one Argon2 verification, whoever is asked for.

    Failed and Throttled: refused before any look, already traced. `throttled` is False where limits are off.
    `spend_check` spends the automatic check that came with the try, within the transaction, and says whether it was
    good; it is asked only when one is needed. Opens a transaction: call it outside one. Raises HashingBusy.
    """
    captcha_next = False
    if throttled:
        with transaction():
            refused, captcha_next = _admit(attempt, spend_check, now)
        if refused is not None:
            return refused
    user_id, stored = password_of(attempt.region, attempt.mail)
    # Asked for an unknown account too: the same statements, the same time.
    temporary = is_current_or_past_temporary(user_id or UUID(int=0), attempt.password)
    give_back_connection()
    verdict = verify_password(stored, attempt.password)
    new_hash = hash_password(attempt.password) if verdict.needs_rehash else None
    return Weighed(attempt, user_id, stored, verdict.right, temporary, captcha_next, throttled, new_hash)


def authenticate(weighed: Weighed, *, now: datetime) -> Authenticated | Failed:
    """Settle a weighed try, in the caller's transaction: on Authenticated the caller opens a session in it.

    The account is judged as it stands now, and a temporary password serves one caller only. Only a right password
    learns why its account does not sign in; unconfirmed accounts have none (contract, section 2).
    """
    attempt = weighed.attempt
    user = None
    if weighed.user_id is not None and (weighed.right or weighed.maybe_temporary):
        # Somebody may be disabling the account, or changing its password, this very moment: one after the other.
        user = lock_user(attempt.region, weighed.user_id)
    if user is not None and user.mail_canonical == attempt.mail:
        outcome = _judge(user, weighed, now)
        if outcome is not None:
            if weighed.throttled:
                throttle.forget_failures(attempt.keys, now=now)
            _trace(outcome, user, now)
            return outcome
    code: FailureCode = "captcha_required" if weighed.captcha_next else "invalid_credentials"
    _record_failure(attempt.region, "invalid_credentials", weighed.user_id, now)
    return Failed(code, captcha_next=weighed.captcha_next)


@dataclass(frozen=True)
class Right:
    """The current password is right."""


@dataclass(frozen=True)
class Wrong:
    """The current password is wrong; it has been counted."""


def check_current_password(
    user: User, password: str, *, device_digest: str, network: str, throttled: bool, now: datetime
) -> Right | Wrong | Throttled:
    """Ask for the current password of somebody signed in, under the throttle of the sign-in.

    There is no automatic check here: from the fifth failure on one has to wait instead. Opens transactions: call it
    outside one. Raises HashingBusy.
    """
    attempt = Attempt(user.region, user.mail_canonical, password, device_digest, network)
    user_id, region, stored = user.id, user.region, user.password_hash
    if throttled:
        with transaction():
            counts = throttle.lock_counts(attempt.keys, now=now, pair_limit=throttle.CAPTCHA_AFTER)
            if counts.wait:
                _record_throttled(region, user_id, now)
            else:
                throttle.count_failure(attempt.keys, now=now)
        if counts.wait:
            return Throttled(counts.wait)
    give_back_connection()
    right = verify_password(stored, password).right
    with transaction():
        if right and throttled:
            throttle.forget_failures(attempt.keys, now=now)
        if not right:
            record(AuditEvent.PASSWORD_CHANGE_FAILED, region=region, now=now, actor=user_id, subject=user_id)
    return Right() if right else Wrong()


def _admit(attempt: Attempt, spend_check: Callable[[], bool], now: datetime) -> tuple[Failed | Throttled | None, bool]:
    """Decide, under the lock of the counts, whether the password is looked at; and whether the next needs a check."""
    keys = attempt.keys
    counts = throttle.lock_counts(keys, now=now)
    user = find_by_mail(attempt.region, attempt.mail)
    user_id = user.id if user else None
    if counts.wait:
        _record_throttled(attempt.region, user_id, now)
        return Throttled(counts.wait), True
    known = throttle.is_known(user_id, device_digest=attempt.device_digest, network=attempt.network, now=now)
    if counts.captcha_needed(known=known) and not spend_check():
        throttle.count_failure(keys, now=now, account_too=False)
        _record_failure(attempt.region, "captcha_required", user_id, now)
        return Failed("captcha_required", captcha_next=True), True
    throttle.count_failure(keys, now=now)
    return None, throttle.captcha_needed(keys, known=known, now=now)


def _judge(user: User, weighed: Weighed, now: datetime) -> Authenticated | Failed | None:
    """Return what a right password leads to, or None for a wrong one (also when it was changed meanwhile)."""
    regular = weighed.right and user.password_hash == weighed.verified_hash
    if not regular and not weighed.maybe_temporary:
        return None
    if user.closing_at is not None:
        return Failed("account_closing", user)
    if user.status != Status.ACTIVE:
        code = _CODES.get(user.status)
        return Failed(code, user) if code else None
    if regular:
        if weighed.new_hash is not None:
            _store_rehash(user, weighed.new_hash)
        return Authenticated(user)
    match claim_temporary_password(user.id, weighed.attempt.password, now=now):
        case Claimed() as claimed:
            return Authenticated(user, claimed)
        case Dead(code):
            return Failed(code, user)
        case NotOne():
            return None


def _store_rehash(user: User, new_hash: str) -> None:
    same = (User.id == user.id, User.region == user.region, User.password_hash == user.password_hash)
    db.session.execute(update(User).where(*same).values(password_hash=new_hash))


def _trace(outcome: Authenticated | Failed, user: User, now: datetime) -> None:
    if isinstance(outcome, Failed):
        _record_failure(user.region, outcome.code, user.id, now)
        return
    # The sign-in itself is recorded with the session that it opens (sessions.open_session).
    if outcome.temporary is not None:
        record(AuditEvent.TEMPORARY_PASSWORD_USED, region=user.region, now=now, actor=user.id, subject=user.id)


def _record_failure(region: str, code: str, user_id: UUID | None, now: datetime) -> None:
    record(AuditEvent.SIGN_IN_FAILED, region=region, now=now, subject=user_id, details={"code": code})


def _record_throttled(region: str, user_id: UUID | None, now: datetime) -> None:
    record(AuditEvent.SIGN_IN_THROTTLED, region=region, now=now, subject=user_id)
