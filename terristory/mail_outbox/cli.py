"""Commands of the feature."""

from flask import Flask


def add_commands(app: Flask) -> None:
    """Add the feature's commands to `flask`."""
