"""The settings of the running service, for doors and commands; rules get what they need as arguments."""

from flask import current_app

from terristory.settings import Settings


def settings_in_force() -> Settings:
    """Return the settings with which the app at work was built."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings
