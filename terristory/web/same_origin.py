"""Whether a sending comes from our own pages, as far as the browser says (OWASP CSRF: verifying origin)."""

from urllib.parse import urlsplit

from flask import request

from terristory.web.settings_in_force import settings_in_force

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_same_origin() -> bool:
    """Return whether `Origin` and `Sec-Fetch-Site`, where sent, name this site.

    This site is the origin of the request itself, as seen through the trusted proxies, or that of PUBLIC_URL.
    `Origin: null` (sandboxed frames, some redirects) is refused; clients that are no browsers send neither header.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = (_normal(request.host_url), _normal(settings_in_force().public_url))
    return _normal(origin) is not None and _normal(origin) in ours


def _normal(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname and port else None
