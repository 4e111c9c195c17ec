"""Settings: read once from the environment (and an optional `.env`), checked together, frozen."""

from terristory.settings.reader import PREFIX, SettingsError
from terristory.settings.reading import PROJECT_ROOT, environment, read_settings
from terristory.settings.refusals import is_loopback, meets_argon2_floor
from terristory.settings.root_secret import derive_key, digest_of, generate_secret, is_weak_secret
from terristory.settings.values import Settings, SmtpServer

__all__ = [
    "PREFIX",
    "PROJECT_ROOT",
    "Settings",
    "SettingsError",
    "SmtpServer",
    "derive_key",
    "digest_of",
    "environment",
    "generate_secret",
    "is_loopback",
    "is_weak_secret",
    "meets_argon2_floor",
    "read_settings",
]
