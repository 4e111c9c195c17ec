"""One structured line an event: JSON, with the request's id, without a secret, a mail or a full address."""

import json
import logging
import re
import sys
import time
from typing import Any

from flask import Flask, Response, g, request
from flask.globals import request_ctx

from terristory.settings import Settings
from terristory.web.request_id import begin_request_id, current_request_id

log = logging.getLogger("terristory.requests")
# The secret part of the links of mails stands in the path. Capitals and doubled slashes lead to the same page.
_LINK_SECRETS = re.compile(
    r"(/(?:confirmer|demande|pas-moi|reprendre|adresse)/+).+?(?=/+retirer/*$|$)", re.IGNORECASE | re.DOTALL
)
_FORWARDED = frozenset(("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED"))


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, whatever line breaks or escapes its text holds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            # Flask names the path of a request that failed.
            "message": masked_path(record.getMessage()),
            "request_id": current_request_id(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def masked_path(path: str) -> str:
    """Return a path without the secret part of a mailed link."""
    return _LINK_SECRETS.sub(r"\1***", path)


def configure_logging() -> None:
    """Send every record to standard error as one line of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def install_request_log(app: Flask, settings: Settings) -> None:
    """Give each request an id and write one line when it ends; warn once of forwarded headers nobody trusts."""
    watching, warned = not settings.trusted_proxies, list[bool]()

    # Not before_request: loading the path's region comes before that, and may already answer 404.
    @app.url_value_preprocessor
    def begin(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        begin_request_id()
        g.began = time.perf_counter()
        if watching and not warned and not _FORWARDED.isdisjoint(request.environ):
            warned.append(True)
            log.warning("forwarded headers arrive but TERRISTORY_TRUSTED_PROXIES is 0: they are ignored")

    @app.after_request
    def end(response: Response) -> Response:
        # Each look at the proxy `request` costs as much as all the looks at what it stands for.
        asked, began = request_ctx.request, g.get("began")
        fields = {
            "method": asked.method,
            "path": masked_path(asked.path),
            "route": asked.url_rule.rule if asked.url_rule else None,
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - began) * 1000, 1) if began else None,
        }
        log.info("request", extra={"fields": fields})
        response.headers["X-Request-ID"] = current_request_id()
        return response
