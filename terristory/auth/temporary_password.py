"""Temporary passwords: made here, mailed or printed once, kept as a digest, good for one sign-in."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import bindparam, select, update

from terristory.auth.models import TemporaryPassword
from terristory.database import read_rows
from terristory.extensions import db
from terristory.mail_outbox.outbox import last_attempt_at
from terristory.passwords.generation import generate_password
from terristory.passwords.normal_form import is_usable
from terristory.user.models import User

DeadCode = Literal["temporary_password_expired", "temporary_password_used"]


_KNOWN = (
    select(TemporaryPassword.id)
    .where(TemporaryPassword.user_id == bindparam("user"), TemporaryPassword.digest == bindparam("digest"))
    .limit(1)
)


@dataclass(frozen=True)
class Issued:
    """A temporary password, to be told once; set `row.mail_id` when a mail carries it."""

    password: str
    row: TemporaryPassword


@dataclass(frozen=True)
class Claimed:
    """The temporary password was right and has served now; what it opens ends at `expires_at`."""

    expires_at: datetime


@dataclass(frozen=True)
class Dead:
    """It was a temporary password of this account once: it has served, or its time (or its turn) is over."""

    code: DeadCode


@dataclass(frozen=True)
class NotOne:
    """No temporary password of this account."""


def issue_temporary_password(user_id: UUID, *, life_seconds: int, now: datetime) -> Issued:
    """Make a temporary password; the account's former one dies, its regular password goes on (ASVS 5.0, 6.4.1)."""
    # Of two at once the second waits for the first, and supersedes it (SQLite lets one writer in at a time anyway).
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    void_temporary_passwords(user_id, now=now)
    password = generate_password()
    digest = _digest(user_id, password)
    row = TemporaryPassword(
        id=uuid4(), user_id=user_id, digest=digest, life_seconds=life_seconds, created_at=now, mail_id=None
    )
    db.session.add(row)
    db.session.flush()
    return Issued(password, row)


def claim_temporary_password(user_id: UUID, password: str, *, now: datetime) -> Claimed | Dead | NotOne:
    """Use a temporary password up. Of parallel uses exactly one gets Claimed; surrounding spaces are forgiven.

    Its life counts from its making or from the latest attempt to deliver its mail, whichever is later.
    """
    row = _find(user_id, password)
    if row is None:
        return NotOne()
    expires_at = _end_of(row)
    if row.used_at is not None:
        return Dead("temporary_password_used")
    if row.superseded_at is not None or now >= expires_at:
        return Dead("temporary_password_expired")
    # The condition is in the statement: of 16 that have all read the row unused, one updates it.
    claimed = db.session.scalar(
        update(TemporaryPassword)
        .where(
            TemporaryPassword.id == row.id,
            TemporaryPassword.used_at.is_(None),
            TemporaryPassword.superseded_at.is_(None),
        )
        .values(used_at=now)
        .returning(TemporaryPassword.id)
    )
    return Claimed(expires_at) if claimed is not None else Dead("temporary_password_used")


def void_temporary_passwords(user_id: UUID, *, now: datetime) -> None:
    """Let the account's temporary password serve no more: a newer one was made, or a regular one was chosen."""
    db.session.execute(
        update(TemporaryPassword)
        .where(TemporaryPassword.user_id == user_id, TemporaryPassword.superseded_at.is_(None))
        .values(superseded_at=now)
    )


def is_current_or_past_temporary(user_id: UUID, password: str) -> bool:
    """Return whether a text is, or was, a temporary password of the account: none may become its regular one."""
    digest = _digest(user_id, password)
    return digest is not None and bool(read_rows(_KNOWN, {"user": user_id, "digest": digest}))


def _find(user_id: UUID, password: str) -> TemporaryPassword | None:
    digest = _digest(user_id, password)
    if digest is None:
        return None
    statement = select(TemporaryPassword).where(
        TemporaryPassword.user_id == user_id, TemporaryPassword.digest == digest
    )
    return db.session.scalar(statement.order_by(TemporaryPassword.created_at.desc()).limit(1))


def _end_of(row: TemporaryPassword) -> datetime:
    attempt = last_attempt_at(row.mail_id)
    begin = row.created_at if attempt is None else max(row.created_at, attempt)
    return begin + timedelta(seconds=row.life_seconds)


def _digest(user_id: UUID, password: str) -> str | None:
    # Copied from a mail or a terminal: spaces and line ends around it come along.
    password = password.strip()
    if not is_usable(password):
        return None
    # 79 bits of randomness need no slow hash (ASVS 11.4.2 is about what people choose); the account's id in it keeps
    # equal values of two accounts apart.
    return hmac.digest(user_id.bytes, password.encode(), "sha256").hex()
