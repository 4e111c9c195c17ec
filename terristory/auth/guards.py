"""Who is calling."""

from typing import Any

from flask import Flask

from terristory.settings import Settings


def current_person() -> Any:
    """Return the signed-in person of the page."""
    return None


def install_session_renewal(app: Flask) -> None:
    """Renew."""


def install_token_keys(app: Flask, settings: Settings) -> None:
    """Keys."""
