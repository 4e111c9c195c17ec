"""The journal of a region: who did what, when, and its spreadsheet."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from terristory.admin.desk import names_of
from terristory.admin.forms import trail_question_of
from terristory.admin.pages.blueprint import pages, spreadsheet
from terristory.admin.spreadsheet import csv_of
from terristory.admin.words import event_words
from terristory.audit.events import AuditEvent
from terristory.audit.lookup import lines_of_region
from terristory.audit.trail import record
from terristory.auth.guards import admins_only, caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.regions.models import Region
from terristory.web.rate_limits import limited


@pages.get("/<region:region>/admin/journal")
@admins_only
@limited("admin")
def journal(region: Region) -> ResponseReturnValue:
    """Show who did what, when; names are looked up now, the trail holds ids only."""
    asked = trail_question_of(request.args)
    found = lines_of_region(region.key, user=asked.user, event=asked.event, after=asked.after, limit=asked.limit)
    ids = [person for line in found.lines for person in (line.actor, line.subject)]
    shown: dict[str, Any] = {"user": asked.user, "event": asked.event}
    next_url = url_for("admin.journal", region=region.key, **shown, after=found.next) if found.next else None
    return render_template(
        "admin/journal.html",
        asked=asked,
        lines=found.lines,
        names=names_of(region.key, [*ids, asked.user]),
        event_words=event_words(),
        first_url=url_for("admin.journal", region=region.key, **shown) if asked.after else None,
        next_url=next_url,
    )


@pages.post("/<region:region>/admin/journal/export")
@admins_only
@limited("admin")
def export_journal(region: Region) -> ResponseReturnValue:
    """Give the journal as a spreadsheet, ids only; the export is traced."""
    asked = trail_question_of(request.form)
    rows: list[list[str]] = []
    after: str | None = None
    while True:
        found = lines_of_region(region.key, user=asked.user, event=asked.event, after=after, limit=500)
        rows += [
            [line.at.isoformat(), line.event, str(line.actor or ""), str(line.subject or ""), str(line.details or "")]
            for line in found.lines
        ]
        after = found.next
        if after is None:
            break
    with transaction():
        record(
            AuditEvent.AUDIT_EXPORTED,
            region=region.key,
            actor=caller().user_id,
            now=utc_now(),
            details={"rows": len(rows)},
        )
    return spreadsheet(csv_of(("at", "event", "actor", "subject", "details"), rows), f"journal-{region.key}.csv")
