"""Reading the audit trail: newest first, always within one region."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from terristory.api.paging import decode_cursor, encode_cursor
from terristory.audit.models import AuditLine
from terristory.extensions import db


@dataclass(frozen=True)
class Lines:
    """A page of the trail, and the cursor of the next one."""

    lines: Sequence[AuditLine]
    next: str | None


def lines_of_region(
    region: str, *, user: UUID | None = None, event: str | None = None, after: str | None = None, limit: int = 50
) -> Lines:
    """Return a page of a region's lines, newest first; `user` keeps those an account did or underwent.

    Raises BadCursor for an `after` that we did not make.
    """
    statement = select(AuditLine).where(AuditLine.region == region)
    if user is not None:
        statement = statement.where(or_(AuditLine.actor == user, AuditLine.subject == user))
    if event is not None:
        statement = statement.where(AuditLine.event == event)
    cursor = decode_cursor(after, (int,))
    if cursor is not None:
        statement = statement.where(AuditLine.id < cursor[0])
    lines = db.session.scalars(statement.order_by(AuditLine.id.desc()).limit(limit + 1)).all()
    more = len(lines) > limit
    return Lines(lines[:limit], encode_cursor(lines[limit - 1].id) if more else None)


def lines_about(region: str, user_id: UUID, *, limit: int = 100) -> Sequence[AuditLine]:
    """Return what was done to one account of a region, newest first."""
    statement = select(AuditLine).where(AuditLine.region == region, AuditLine.subject == user_id)
    return db.session.scalars(statement.order_by(AuditLine.id.desc()).limit(limit)).all()


def line_json(line: AuditLine) -> dict[str, Any]:
    """Return a line as the API shows it: ids only, no name and no mail."""
    return {
        "at": line.at,
        "event": line.event,
        "actor": line.actor,
        "subject": line.subject,
        "details": line.details,
    }
