"""Headers on every answer, errors included (OWASP Secure Headers, ASVS 3.4)."""

from flask import Flask, Response, request

from terristory.web.safe_redirects import relative_location

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_POWERS = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "magnetometer", "microphone", "midi", "payment", "picture-in-picture",
    "publickey-credentials-get", "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS_POLICY = ", ".join(f"{power}=()" for power in _POWERS)
HSTS = "max-age=63072000; includeSubDomains"


def install_security_headers(app: Flask, *, hsts: bool) -> None:
    """Add the headers to every answer of `app`; a view that sets its own policy keeps it."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        if "Location" in headers and relative_location(headers["Location"]) != headers["Location"]:
            headers["Location"] = relative_location(headers["Location"])
            # The router's own page repeats the Host that the client claims.
            response.set_data(b"")
        headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if hsts:
            headers.setdefault("Strict-Transport-Security", HSTS)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
            response.vary.add("Cookie")
        if not request.path.startswith(("/api/", "/static/")):
            response.vary.add("Accept-Language")
        return response
