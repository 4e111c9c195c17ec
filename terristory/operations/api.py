"""Readiness and metrics, for the operator and his tools."""

import hmac

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from terristory.api.problems import problem
from terristory.clock import utc_now
from terristory.operations.metrics import metrics_text
from terristory.operations.readiness import readiness
from terristory.settings import Settings, is_loopback
from terristory.web.access import Access, declare_access
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("operations_api", __name__)


@api.get("/readyz")
@declare_access(Access.OPERATOR)
def readyz() -> ResponseReturnValue:
    """Say whether the service can do its work; the details are the operator's."""
    settings = settings_in_force()
    state = readiness(delivers_mail=settings.smtp is not None, now=utc_now())
    response = jsonify(state.details() if is_operator(settings) else {"ready": state.ready})
    if not state.ready:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response


@api.get("/metrics")
@declare_access(Access.OPERATOR)
def metrics() -> ResponseReturnValue:
    """Return the metrics as Prometheus text."""
    if not is_operator(settings_in_force()):
        return problem(401, "unauthenticated")
    return Response(metrics_text(utc_now()), content_type="text/plain; version=0.0.4; charset=utf-8")


def is_operator(settings: Settings) -> bool:
    """Return whether the request carries the operator's token, or in development comes from this very machine."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if settings.metrics_token and scheme.lower() == "bearer":
        return hmac.compare_digest(token.strip().encode(), settings.metrics_token.encode())
    return not settings.production and is_loopback(request.remote_addr or "")
