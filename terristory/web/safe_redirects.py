"""Redirects that stay here: Werkzeug passes `//evil.org` and `javascript:` unchanged."""

import re

from flask import redirect, request
from werkzeug.wrappers import Response

_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9_\-./~%?&=+:@,]*", re.ASCII)


def local_path(wish: str | None) -> str | None:
    """Return `wish` when it is a path of this very site, else None (OWASP Unvalidated Redirects)."""
    if not wish or len(wish) > 1000 or not _LOCAL_PATH.fullmatch(wish) or "/../" in wish + "/":
        return None
    return wish


def next_path() -> str | None:
    """Return the request's `?next=` (or form field `next`) when it is a local path."""
    return local_path(request.values.get("next"))


def redirect_within(path: str) -> Response:
    """Redirect (303) to a path of this site: the form has been handled, the browser fetches the next page."""
    return redirect(path, code=303)


def relative_location(place: str) -> str:
    """Return a `Location` as a path of this site when it names this host: the router's own redirects (a missing last
    slash) repeat the Host they were sent. One slash first, never two: browsers would read a host after them.
    """
    if not place.startswith(request.host_url):
        return place
    return "/" + place.removeprefix(request.host_url).lstrip("/")
