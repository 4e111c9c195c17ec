"""Writing the audit trail: in the act, in its transaction, ids only."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.extensions import db
from terristory.web.request_id import current_request_id

_NEW_LINE = insert(AuditLine)


def record(
    event: AuditEvent,
    *,
    region: str,
    now: datetime,
    actor: UUID | None = None,
    subject: UUID | None = None,
    details: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Add a line to the trail, to be committed with the act it tells of.

    `region` is a region's key ("" for what concerns none), `actor` the account that acted (None: an operator, a
    command, or nobody known), `subject` the account acted upon. `details` hold neither a name nor a mail.
    """
    line = {
        "at": now,
        "region": region,
        "event": event.value,
        "actor": actor,
        "subject": subject,
        "request_id": current_request_id(),
        "details": dict(details or {}),
    }
    # What the act has changed is written first: a constraint that it breaks must speak before its trace.
    db.session.flush()
    db.session.connection().execute(_NEW_LINE, line)
