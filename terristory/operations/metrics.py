"""Prometheus metrics: counters of each process added up, and gauges read from the database."""

import os
import time
from datetime import datetime

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from sqlalchemy import func, select

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.operations.readiness import limiter_state, oldest_due
from terristory.passwords.hashing import hashing_queue_length
from terristory.user.models import User

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
requests_total = Counter("terristory_requests_total", "Requests answered.", ["method", "route", "status"])
request_seconds = Histogram("terristory_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS)
hash_queue = Gauge("terristory_hash_queue", "Callers waiting to hash a password.", multiprocess_mode="livesum")
_COUNTED = {
    AuditEvent.SIGNED_IN: "signed_in",
    AuditEvent.SIGN_IN_FAILED: "failed",
    AuditEvent.SIGN_IN_THROTTLED: "throttled",
    AuditEvent.REFRESH_REPLAYED: "replayed",
}


def install_request_metrics(app: Flask) -> None:
    """Count every answer and its time, by route (never by path: a path holds ids and tokens)."""

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "none"
        requests_total.labels(request.method, route, str(response.status_code)).inc()
        began = g.get("began")
        if began is not None:
            request_seconds.labels(route).observe(time.perf_counter() - began)
        hash_queue.set(hashing_queue_length())
        return response


def metrics_text(now: datetime) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in (requests_total, request_seconds, hash_queue):
            registry.register(metric)
    from_database = CollectorRegistry()
    _add_database_gauges(from_database, now)
    return generate_latest(registry) + generate_latest(from_database)


def _add_database_gauges(registry: CollectorRegistry, now: datetime) -> None:
    outbox = Gauge("terristory_outbox_mails", "Mails in the outbox by state.", ["state"], registry=registry)
    rows = db.session.execute(select(OutboxMail.state, func.count()).group_by(OutboxMail.state))
    by_state = dict(rows.all())
    for state in MailState:
        outbox.labels(state.value).set(by_state.get(state.value, 0))
    lag = oldest_due(now)
    age = Gauge("terristory_outbox_oldest_seconds", "For how long the oldest due mail is due.", registry=registry)
    age.set(lag.total_seconds() if lag else 0)
    accounts = Gauge("terristory_accounts", "Accounts by status.", ["status"], registry=registry)
    for status, number in db.session.execute(select(User.status, func.count()).group_by(User.status)):
        accounts.labels(status).set(number)
    events = Gauge(
        "terristory_sign_in_events", "Kept audit lines of sign-ins by outcome.", ["outcome"], registry=registry
    )
    counts = db.session.execute(
        select(AuditLine.event, func.count()).where(AuditLine.event.in_(_COUNTED)).group_by(AuditLine.event)
    )
    by_event = dict(counts.all())
    for event, outcome in _COUNTED.items():
        events.labels(outcome).set(by_event.get(event.value, 0))
    fallback = Gauge("terristory_limiter_fallback", "1 while request limits count per process.", registry=registry)
    fallback.set(1 if limiter_state() == "fallback" else 0)
