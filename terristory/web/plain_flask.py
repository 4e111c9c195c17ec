"""Flask without what this service never uses, which each request paid for."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class _SignedWhenNeeded(SecureCookieSessionInterface):
    """Makes no signer for a visitor who brings no cookie; saving what is put into the session makes its own."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if not request.cookies.get(self.get_cookie_name(app)):
            return self.session_class()
        return super().open_session(app, request)


class PlainFlask(Flask):
    """The application: every view is a plain function, and sessions are opened where there is one."""

    session_interface = _SignedWhenNeeded()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function itself: Flask asks ten times a request whether one is a coroutine."""
        return func
