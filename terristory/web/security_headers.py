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
_FIXED = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", PERMISSIONS_POLICY),
)


def install_security_headers(app: Flask, *, hsts: bool) -> None:
    """Add the headers to every answer of `app`; a view that sets its own policy keeps it."""

    fixed = [*_FIXED, *([("Strict-Transport-Security", HSTS)] if hsts else [])]

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        # Werkzeug looks through all of them to find one: asked once a name, they took a tenth of a plain answer.
        present = {name.lower() for name, _value in headers}
        if "location" in present and relative_location(headers["Location"]) != headers["Location"]:
            headers["Location"] = relative_location(headers["Location"])
            # The router's own page repeats the Host that the client claims.
            response.set_data(b"")
        headers.extend([header for header in fixed if header[0].lower() not in present])
        varies = []
        if "cache-control" not in present:
            headers.add("Cache-Control", "no-store")
            varies.append("Cookie")
        if not request.path.startswith(("/api/", "/static/")):
            varies.append("Accept-Language")
        if "vary" in present:
            response.vary.update(varies)
        elif varies:
            headers.add("Vary", ", ".join(varies))
        return response
