"""A page's address typed in capitals leads to the page: /BRETAGNE/connexion → /bretagne/connexion."""

from urllib.parse import quote

from flask import current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

# Parts of a path that are case-sensitive: they keep their spelling.
_KEPT = ("token", "name")


def lower_case_redirect() -> Response | None:
    """Return the redirect (308) to the page whose path differs from the request's by its case only, if there is one.

    The JSON API gets none: there another spelling of a region is a 404.
    """
    path = request.path
    if path == path.lower() or path.startswith(("/api/", "/static/", "/.well-known/")):
        return None
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return None
    try:
        _endpoint, values = adapter.match(path.lower(), method="GET")
    except RequestRedirect:
        values = {}
    except HTTPException:
        return None
    kept = {str(values[name]) for name in _KEPT if name in values}
    segments = [part if part.lower() in kept else part.lower() for part in path.split("/")]
    target = "/".join(segments)
    if target == path:
        # The page itself said 404 to a token it does not know: no redirect to where we are.
        return None
    query = request.query_string.decode("latin-1")
    # The path was decoded: what a header or a browser would take for more than a path is encoded again.
    return redirect("/" + quote(target.lstrip("/"), safe="/:@,+=~") + (f"?{query}" if query else ""), code=308)
