"""The one place where an error becomes an answer: problem+json for the API, a page for people; never a trace."""

import logging
import random

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadHost, HTTPException, SecurityError

from terristory.api.json_forms import InvalidFields
from terristory.api.paging import BadCursor
from terristory.api.problems import Refused, problem
from terristory.errors import DomainError
from terristory.i18n import _
from terristory.web.error_pages import allowed_methods, error_page, untrusted_host_page
from terristory.web.kept_answers import page_with_answers
from terristory.web.lower_case import lower_case_redirect
from terristory.web.rate_limits import seconds_until_free
from terristory.web.same_origin import is_same_origin

log = logging.getLogger("terristory.errors")
CODES = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timed_out",
    410: "gone",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    431: "too_large",
    503: "unavailable",
}


def is_api(path: str) -> bool:
    """Return whether answers under a path are JSON."""
    return path.startswith(("/api/", "/.well-known/")) or path in ("/readyz", "/metrics", "/livez")


def install_error_handlers(app: Flask) -> None:
    """Register the handlers: HTTP errors, failed CSRF, domain errors, a database that is down, and the last resort."""
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DomainError, _domain_error)
    for unavailable in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(unavailable, _database_down)
    app.register_error_handler(Exception, _last_resort)


def retry_soon() -> int:
    """Return a number of seconds to wait, jittered so that clients do not come back together."""
    return random.randint(5, 15)  # noqa: S311 - spreads load, protects nothing


def _csrf_failed(_error: CSRFError) -> Response:
    if is_api(request.path):
        return problem(400, "csrf_failed", detail=str(_("La protection contre les envois forgés a échoué.")))
    # What another site sent is not shown: its visitor has not typed it.
    shown_again = page_with_answers() if is_same_origin() else None
    return shown_again or error_page(
        400,
        title=str(_("Cette page a vieilli")),
        message=str(_("Elle a été ouverte avant une connexion ou une déconnexion. Rechargez-la puis recommencez.")),
    )


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if error.response is not None and isinstance(error.response, Response):
        return error.response
    # Neither a foreign host nor one that is no host has a map of addresses: no link can be made.
    if isinstance(error, SecurityError | BadHost) and not is_api(request.path):
        return untrusted_host_page()
    elsewhere = lower_case_redirect() if status == 404 else None
    if elsewhere is not None:
        return elsewhere
    if 300 <= status < 400:
        redirection: Response = error.get_response()  # type: ignore[assignment]
        return redirection
    retry_after = {429: seconds_until_free, 503: retry_soon}.get(status, lambda: None)()
    if is_api(request.path):
        response = problem(status, CODES.get(status, f"http_{status}"), retry_after=retry_after)
    else:
        response = error_page(status, retry_after=retry_after)
    allow = allowed_methods(error)
    if allow:
        response.headers["Allow"] = allow
    return response


def _domain_error(error: DomainError) -> Response:
    status = error.kind.value
    if is_api(request.path) and isinstance(error, Refused):
        return error.answer()
    if is_api(request.path):
        return problem(status, error.code, errors=_fields_at_fault(error), retry_after=error.retry_after)
    return error_page(status, retry_after=error.retry_after)


def _fields_at_fault(error: DomainError) -> dict[str, list[str]] | None:
    if isinstance(error, BadCursor):
        return {"after": [str(_("Cette suite de liste n'existe pas. Reprenez au début de la liste."))]}
    return error.errors if isinstance(error, InvalidFields) else None


def _database_down(error: Exception) -> Response:
    log.error("the database did not answer: %s", type(error.__cause__ or error).__name__)
    # The page of the error must not ask the database for who is signed in and where.
    g.database_down, g.region = True, None
    if is_api(request.path):
        return problem(503, "unavailable", retry_after=retry_soon())
    return error_page(503, retry_after=retry_soon())


def _last_resort(error: Exception) -> Response:
    log.error("unexpected %s", type(error).__name__, exc_info=error)
    if is_api(request.path):
        return problem(500, "internal_error")
    return error_page(500)
