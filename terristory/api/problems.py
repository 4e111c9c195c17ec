"""Errors of the JSON API: problem+json (RFC 9457), with the envelope that clients of the original API read."""

from typing import Any

from flask import Response, current_app, request

from terristory.errors import DomainError, Kind
from terristory.i18n import _, language
from terristory.web.request_id import current_request_id

CONTENT_TYPE = "application/problem+json"
# code of a 401/403 → what sanic-jwt said in the same situation (contract, section 2).
_EXCEPTIONS = {401: "Unauthorized", 403: "Forbidden"}


def problem(
    status: int,
    code: str,
    *,
    detail: str | None = None,
    errors: dict[str, list[str]] | None = None,
    exception: str | None = None,
    reason: str | None = None,
    retry_after: int | None = None,
    extra: dict[str, Any] | None = None,
) -> Response:
    """Build a problem answer. `exception` and `reason` override the original's envelope of 401, 403 and `/auth`."""
    title = title_of(status)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": current_request_id(),
    }
    if errors is not None:
        body["errors"] = errors
    if status in (401, 403) or exception or is_auth_path(request.path):
        body["exception"] = exception or _EXCEPTIONS.get(status, "SanicException")
        body["reasons"] = [reason or detail or title]
    body.update(extra or {})
    response = Response(current_app.json.dumps(body) + "\n", status=status, content_type=CONTENT_TYPE)
    response.headers["Content-Language"] = language()
    response.headers["Cache-Control"] = "no-store"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="terristory"'
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def is_auth_path(path: str) -> bool:
    """Return whether a path is a drop-in route, `/api/<region>/auth…`, or its twin for browsers, `…/user/auth`."""
    parts = path.split("/")
    return len(parts) > 3 and parts[1] == "api" and (parts[3] == "auth" or parts[3:] == ["user", "auth"])


def title_of(status: int) -> str:
    """Return the words for a status, in the language in force."""
    titles = {
        400: _("Demande mal formée"),
        401: _("Connexion nécessaire"),
        403: _("Accès refusé"),
        404: _("Introuvable"),
        405: _("Méthode refusée"),
        409: _("Conflit avec l'état actuel"),
        410: _("Ce lien ne sert plus"),
        413: _("Envoi trop volumineux"),
        415: _("Type de contenu refusé"),
        422: _("Certains champs sont à corriger"),
        429: _("Trop de demandes"),
        500: _("Erreur interne"),
        503: _("Service momentanément indisponible"),
    }
    return str(titles.get(status) or _("Erreur"))


class Refused(DomainError):
    """A refusal whose answer carries the words of the original API. Raise it only where nothing must leave a trace."""

    def __init__(
        self,
        kind: Kind,
        code: str,
        *,
        exception: str | None = None,
        reason: str | None = None,
        detail: str | None = None,
        extra: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(retry_after=retry_after)
        self.kind = kind  # type: ignore[misc]
        self.code = code  # type: ignore[misc]
        self.exception, self.reason, self.detail, self.extra = exception, reason, detail, extra

    def answer(self) -> Response:
        """Build the problem answer."""
        return problem(
            self.kind.value,
            self.code,
            detail=self.detail,
            exception=self.exception,
            reason=self.reason,
            retry_after=self.retry_after,
            extra=self.extra,
        )
