"""Commands on the audit trail."""

import json

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.audit.trail import record
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.web.request_id import begin_request_id

audit = AppGroup("audit", help="The audit trail: who did what, when.")
PORTION = 500


def add_commands(app: Flask) -> None:
    """Add the `audit` commands to `flask`."""
    app.cli.add_command(audit)


@audit.command("export")
@click.option("--region", help="Only the lines of this region.")
def export(region: str | None) -> None:
    """Print the trail, oldest first, one JSON object a line (for a log collector); the export itself is traced."""
    begin_request_id()
    with transaction():
        record(AuditEvent.AUDIT_EXPORTED, region=region or "", now=utc_now())
    last = 0
    while True:
        statement = select(AuditLine).where(AuditLine.id > last).order_by(AuditLine.id).limit(PORTION)
        if region is not None:
            statement = statement.where(AuditLine.region == region)
        lines = db.session.scalars(statement).all()
        for line in lines:
            click.echo(json.dumps(_as_json(line), ensure_ascii=False))
        if len(lines) < PORTION:
            return
        last = lines[-1].id


def _as_json(line: AuditLine) -> dict[str, object]:
    return {
        "id": line.id,
        "at": line.at.isoformat(),
        "region": line.region,
        "event": line.event,
        "actor": str(line.actor) if line.actor else None,
        "subject": str(line.subject) if line.subject else None,
        "request_id": line.request_id,
        "details": line.details,
    }
