"""The WSGI entry: builds the app from the environment, nothing else."""

from terristory.app import create_app
from terristory.settings import SettingsError, environment, read_settings
from terristory.web.request_log import configure_logging

configure_logging()
try:
    app = create_app(read_settings(environment()))
except SettingsError as error:
    raise SystemExit(str(error)) from None
