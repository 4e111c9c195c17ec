"""Cookies."""

from flask import Flask

from terristory.settings import Settings


def install_cookie_names(app: Flask, settings: Settings) -> None:
    """Names."""
