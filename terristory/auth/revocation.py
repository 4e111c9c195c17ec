"""Ending sessions: at the next request they are over, on every process."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from terristory.auth.devices import device_words
from terristory.auth.models import Session
from terristory.extensions import db


def end_session(user_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    """End one session of an account; return whether it lived until now. Another account's id ends nothing."""
    statement = (
        update(Session)
        .where(Session.id == session_id, Session.user_id == user_id, Session.ended_at.is_(None))
        .values(ended_at=now)
        .returning(Session.id)
    )
    return db.session.scalar(statement) is not None


def is_open(user_id: UUID, session_id: UUID) -> bool:
    """Return whether nobody has ended this session of the account. Hold the account before asking.

    Whoever takes the ways in away holds the account too: what was asked for just before is then refused.
    """
    statement = select(Session.id).where(
        Session.id == session_id, Session.user_id == user_id, Session.ended_at.is_(None)
    )
    return db.session.scalar(statement) is not None


def end_all_sessions(user_id: UUID, *, but: UUID | None = None, now: datetime) -> int:
    """End every session of an account (replaced ones too: their access token dies) and return how many."""
    statement = update(Session).where(Session.user_id == user_id, Session.ended_at.is_(None)).values(ended_at=now)
    if but is not None:
        statement = statement.where(Session.id != but)
    return len(db.session.scalars(statement.returning(Session.id)).all())


def live_sessions(user_id: UUID, *, idle_seconds: int, now: datetime) -> Sequence[Session]:
    """Return the sessions that can still be used or refreshed, last used first."""
    statement = select(Session).where(
        Session.user_id == user_id,
        Session.ended_at.is_(None),
        Session.replaced_at.is_(None),
        Session.expires_at > now,
        Session.last_used_at > now - timedelta(seconds=idle_seconds),
    )
    return db.session.scalars(statement.order_by(Session.last_used_at.desc(), Session.id)).all()


def session_json(session: Session, current: UUID) -> dict[str, Any]:
    """Return a session as its owner sees it; `current` is the id of the one that asks."""
    return {
        "id": session.id,
        "device": device_words(session.device),
        "network": session.network,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "current": session.id == current,
    }
