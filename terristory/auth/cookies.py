"""The cookies of a session, and what a request tells of the device it comes from."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request, session
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.sansio.response import Response

from terristory.api.problems import is_auth_path
from terristory.auth.devices import device_of_agent, tidy_device_name
from terristory.auth.sessions import Opened, Visit
from terristory.clock import utc_now
from terristory.settings import Settings, digest_of
from terristory.web.network import client_network

# 13 months: the CNIL's bound for cookies that need no consent.
DEVICE_LIFE = timedelta(days=395)


@dataclass(frozen=True)
class CookieNames:
    """The names in force: with `__Host-` but in development over plain http."""

    access: str
    refresh: str
    csrf: str
    device: str


@dataclass(frozen=True)
class _Cookies:
    names: CookieNames
    secure: bool
    access_seconds: int
    idle_seconds: int
    csrf_keys: tuple[bytes, ...]
    device_signer: URLSafeTimedSerializer


def install_cookie_names(app: Flask, settings: Settings) -> None:
    """Choose the cookies' names and attributes and derive their keys, once."""
    prefix = "__Host-" if settings.secure_cookies else ""
    app.extensions["session_cookies"] = _Cookies(
        names=CookieNames(*(prefix + name for name in ("access_token", "refresh_token", "csrf_token", "device"))),
        secure=settings.secure_cookies,
        access_seconds=settings.access_token_seconds,
        idle_seconds=settings.session_idle_seconds,
        csrf_keys=tuple(settings.keys("csrf")),
        # itsdangerous wants the oldest key first and signs with the last.
        device_signer=URLSafeTimedSerializer(list(reversed(settings.keys("device-cookie"))), salt="device"),
    )


def cookie_names() -> CookieNames:
    """Return the names of the session's cookies."""
    return _cookies().names


def the_cookie(name: str) -> str | None:
    """Return the value of a cookie; "" when it comes more than once (a neighbour's cookie: which one is ours?)."""
    values = request.cookies.getlist(name)
    return None if not values else values[0] if len(values) == 1 else ""


def visit_of_request(device_name: object = None, *, by_browser: bool | None = None) -> Visit:
    """Tell where the request comes from.

    An API client (the drop-in routes `/auth…`, or `by_browser=False`) is known by the `device` it names, or shares one
    slot; a browser by its signed cookie, made now when it has none (see Visit.new_device_cookie).
    """
    name = tidy_device_name(device_name)
    agent = device_of_agent(request.headers.get("User-Agent", ""))
    if by_browser is None:
        by_browser = not is_auth_path(request.path)
    if not by_browser:
        return Visit(digest_of(f"name:{name}") if name else "", name or agent, client_network(), by_browser=False)
    known = _known_device()
    device = known or secrets.token_urlsafe(16)
    cookie = None if known else str(_cookies().device_signer.dumps(device))
    return Visit(digest_of(f"browser:{device}"), agent, client_network(), by_browser=True, new_device_cookie=cookie)


def set_session_cookies(response: Response, opened: Opened) -> None:
    """Hand over a session's tokens in cookies; after a sign-in, form tokens made before it die."""
    cookies, left = _cookies(), opened.expires_at - utc_now()
    life = max(1, min(cookies.idle_seconds, int(left.total_seconds())))
    _set(response, cookies.names.access, opened.access_token, max_age=min(life, cookies.access_seconds))
    _set(response, cookies.names.refresh, opened.refresh_token, max_age=life)
    _set(response, cookies.names.csrf, csrf_token_of(opened.session_id), max_age=life, readable=True)
    if opened.new_device_cookie:
        _set(response, cookies.names.device, opened.new_device_cookie, max_age=int(DEVICE_LIFE.total_seconds()))
    if opened.fresh:
        forget_form_tokens()
    g.session_cookies_settled = True


def clear_session_cookies(response: Response) -> None:
    """Forget the session in the browser: its cookies and what scripts stored; the device's cookie stays.

    `Clear-Site-Data: "storage"` (ASVS 14.3.1) leaves cookies alone: "cookies" would take the device's one as well.
    """
    cookies = _cookies()
    for name in (cookies.names.access, cookies.names.refresh, cookies.names.csrf):
        readable = name == cookies.names.csrf
        response.delete_cookie(name, path="/", secure=cookies.secure, httponly=not readable, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"storage"'
    forget_form_tokens()
    g.session_cookies_settled = True


def forget_form_tokens() -> None:
    """Empty Flask's session but for the messages to show: form tokens made before a sign-in or sign-out die."""
    messages: Any = session.get("_flashes")
    session.clear()
    if messages:
        session["_flashes"] = messages


def csrf_token_of(session_id: UUID) -> str:
    """Return the value that `X-CSRF-TOKEN` must carry in this session: HMAC of its id."""
    return _csrf_values(session_id)[0]


def is_csrf_token_of(session_id: UUID, value: str) -> bool:
    """Return whether `value` is the session's, in constant time; that of the previous root secret still is."""
    # compare_digest raises TypeError on text that is not ASCII.
    return value.isascii() and any(hmac.compare_digest(value, right) for right in _csrf_values(session_id))


def _csrf_values(session_id: UUID) -> list[str]:
    return [hmac.new(key, session_id.bytes, sha256).hexdigest() for key in _cookies().csrf_keys]


def _known_device() -> str | None:
    cookie = the_cookie(_cookies().names.device)
    if not cookie:
        return None
    try:
        return str(_cookies().device_signer.loads(cookie, max_age=int(DEVICE_LIFE.total_seconds())))
    except BadSignature:
        return None


def _set(response: Response, name: str, value: str, *, max_age: int, readable: bool = False) -> None:
    secure = _cookies().secure
    response.set_cookie(name, value, max_age=max_age, path="/", secure=secure, httponly=not readable, samesite="Lax")


def _cookies() -> _Cookies:
    cookies: _Cookies = current_app.extensions["session_cookies"]
    return cookies
