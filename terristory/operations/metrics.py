"""Prometheus metrics: counters of each process added up, and gauges read from the database."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from flask import Flask, Response, g
from flask.globals import request_ctx
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from terristory.audit.events import AuditEvent
from terristory.audit.models import AuditLine
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.operations.readiness import limiter_state, oldest_due
from terristory.passwords.hashing import hashing_queue_length
from terristory.user.models import Status, User

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_COUNTED = {
    AuditEvent.SIGNED_IN: "signed_in",
    AuditEvent.SIGN_IN_FAILED: "failed",
    AuditEvent.SIGN_IN_THROTTLED: "throttled",
    AuditEvent.REFRESH_REPLAYED: "replayed",
}


@dataclass(frozen=True)
class _Counters:
    """What each process counts by itself."""

    requests: Counter
    seconds: Histogram
    hash_queue: Gauge


@cache
def _counters() -> _Counters:
    # Made at the first use: whether counters are shared must be known before.
    return _Counters(
        Counter("terristory_requests_total", "Requests answered.", ["method", "route", "status"], registry=None),
        Histogram("terristory_request_seconds", "Time to answer.", ["route"], buckets=BUCKETS, registry=None),
        Gauge(
            "terristory_hash_queue",
            "Callers waiting to hash a password.",
            multiprocess_mode="livesum",
            registry=None,
        ),
    )


def share_counters(folder: Path) -> None:
    """Add up the counters of all processes forked from now on, through files in `folder`."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    _counters.cache_clear()


def install_request_metrics(app: Flask) -> None:
    """Count every answer and its time, by route (never by path: a path holds ids and tokens)."""

    @app.after_request
    def count(response: Response) -> Response:
        asked, counters, began = request_ctx.request, _counters(), g.get("began")
        route = asked.url_rule.rule if asked.url_rule else "none"
        # A client may invent methods: each would be a new series.
        method = asked.method if asked.method in METHODS else "other"
        counters.requests.labels(method, route, str(response.status_code)).inc()
        if began is not None:
            counters.seconds.labels(route).observe(time.perf_counter() - began)
        counters.hash_queue.set(hashing_queue_length())
        return response


def metrics_text(now: datetime) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        counters = _counters()
        for metric in (counters.requests, counters.seconds, counters.hash_queue):
            registry.register(metric)
    registry.register(_DatabaseGauges(now))
    return generate_latest(registry)


@dataclass(frozen=True)
class _DatabaseGauges(Collector):
    """Gauges read from the database at the time of asking: the same whichever process answers."""

    now: datetime

    def collect(self) -> Iterable[Metric]:
        yield _gauge("outbox_mails", "Mails in the outbox by state.", "state", _by(OutboxMail.state, MailState))
        lag = oldest_due(self.now)
        yield _gauge("outbox_oldest_seconds", "For how long the oldest due mail is due.", value=_seconds(lag))
        yield _gauge("accounts", "Accounts by status.", "status", _by(User.status, Status))
        outcomes = {_COUNTED[AuditEvent(event)]: number for event, number in _by(AuditLine.event, _COUNTED).items()}
        yield _gauge("sign_in_events", "Kept audit lines of sign-ins by outcome.", "outcome", outcomes)
        fallback = float(limiter_state() == "fallback")
        yield _gauge("limiter_fallback", "1 while request limits count per process.", value=fallback)


def _gauge(
    name: str, words: str, label: str = "", values_by_label: dict[str, int] | None = None, *, value: float | None = None
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"terristory_{name}", words, value=value, labels=[label] if label else None)
    for key, number in (values_by_label or {}).items():
        family.add_metric([key], number)
    return family


def _by(column: InstrumentedAttribute[str], names: Iterable[str]) -> dict[str, int]:
    """Count rows by the values of a column; each of `names` is there, with 0 when it has no row."""
    counts = {str(name): 0 for name in names}
    statement = select(column, func.count()).where(column.in_(list(counts))).group_by(column)
    counts.update((value, number) for value, number in db.session.execute(statement))
    return counts


def _seconds(lag: timedelta | None) -> float:
    return lag.total_seconds() if lag else 0.0
