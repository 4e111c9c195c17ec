"""Reading a JSON body strictly: exactly `application/json`, UTF-8, at most 16 KiB, one object, no trap left."""

import json
from typing import Any

import orjson
from flask import Flask, Response, current_app, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

MOST_JSON_BYTES = 16 * 1024


class StrictJSONProvider(DefaultJSONProvider):
    """Fast on the way out; on the way in it refuses NaN, repeated keys and bombs with a ValueError (→ 400)."""

    mimetype = "application/json"

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Serialise to JSON text; UUID and datetime are known to orjson (RFC 3339)."""
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON text. Raises ValueError for anything that is not plain JSON."""
        try:
            return json.loads(s, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
        except RecursionError:
            # 2 kB of "[" exhaust the parser's stack: malformed, not a fault of ours.
            raise ValueError("nested too deeply") from None

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Build the JSON answer."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), default=str)
        return Response(body + b"\n", mimetype=self.mimetype)


def _refuse_constant(_name: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name is repeated")
    return result


def install_strict_json(app: Flask) -> None:
    """Make `app` read and write JSON by the provider above."""
    app.json = StrictJSONProvider(app)


def json_object(*, lenient: bool = False) -> dict[str, Any]:
    """Return the request's body as an object.

    `lenient` (the drop-in routes): an absent body is `{}`, whatever its declared type, and so is JSON that is no
    object. Raises werkzeug's 415, 413 and 400 otherwise.
    """
    # A body sent in chunks tells no length, and werkzeug cuts it off in silence: one byte more shows that it is long.
    request.max_content_length = MOST_JSON_BYTES + 1
    if (request.content_length or 0) > MOST_JSON_BYTES:
        raise RequestEntityTooLarge
    raw = request.get_data(cache=True)
    if len(raw) > MOST_JSON_BYTES:
        raise RequestEntityTooLarge
    if lenient and not raw:
        return {}
    if request.mimetype != "application/json" or _charset() not in ("", "utf-8", "utf8"):
        raise UnsupportedMediaType
    try:
        body = current_app.json.loads(raw.decode("utf-8"))
    except ValueError:
        raise BadRequest from None
    if not isinstance(body, dict):
        if lenient:
            return {}
        raise BadRequest
    return body


def _charset() -> str:
    return request.mimetype_params.get("charset", "").strip().lower()
