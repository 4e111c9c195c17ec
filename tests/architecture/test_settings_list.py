"""`.env.example` is the list of all settings, with their true defaults."""

import re
from dataclasses import fields

from terristory.settings import PREFIX, PROJECT_ROOT, Settings, read_settings

# Read under other names than their fields', or made of several things.
RENAMED = {"smtp": "SMTP_URL"}
WITHOUT_PREFIX = {"host", "port"}


def listed() -> dict[str, str]:
    text = (PROJECT_ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


def test_every_setting_is_listed_and_nothing_else():
    known = {
        item.name.upper() if item.name in WITHOUT_PREFIX else PREFIX + RENAMED.get(item.name, item.name.upper())
        for item in fields(Settings)
    }
    assert set(listed()) == known


def test_the_defaults_listed_are_the_defaults_in_force(tmp_path):
    secret = {PREFIX + "SECRET_KEY": "a root secret of the tests 0123456789"}
    without_redis = {name: value for name, value in listed().items() if not name.endswith("REDIS_URL") and value}
    assert read_settings({**without_redis, **secret}) == read_settings(secret)
