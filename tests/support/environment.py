"""The settings of the tests: cheap where cost is not the subject, and full of canaries."""

from dataclasses import fields

from terristory.settings import PREFIX, Settings

# Values that must never come out of the service in an answer; every response of the suite is searched for them.
SECRET_KEY = "canary-root-secret-Q7vXz2LmPa9RtYw4KdNs8HgB"
METRICS_TOKEN = "canary-metrics-token-5ZrTq8WnVx3Kp"
SMTP_PASSWORD = "canary-smtp-password-J4hLs"
# The password of people in tests whose password is not the subject.
PASSWORD = "pluvier lavande tracteur 42"
CANARIES = (SECRET_KEY, METRICS_TOKEN, SMTP_PASSWORD, PASSWORD)

# Set and empty means unset, and keeps a developer's own .env out of the tests.
EMPTY_SETTINGS = {PREFIX + item.name.upper(): "" for item in fields(Settings)} | {PREFIX + "SMTP_URL": ""}

CHEAP_SETTINGS = {
    PREFIX + "SECRET_KEY": SECRET_KEY,
    PREFIX + "METRICS_TOKEN": METRICS_TOKEN,
    PREFIX + "CAPTCHA_COST": "1",
}

# The least that production starts with; add a DATABASE_URL.
PRODUCTION = {
    PREFIX + "ENV": "production",
    PREFIX + "SECRET_KEY": SECRET_KEY,
    PREFIX + "PUBLIC_URL": "https://compte.example.fr",
    PREFIX + "SMTP_URL": "smtp+plain://127.0.0.1:2525",
    PREFIX + "MAIL_FROM": "compte@example.fr",
    PREFIX + "OPERATOR_MAIL": "exploitant@example.fr",
}


def service_environment(**settings: str | int | bool) -> dict[str, str]:
    """Return the environment of a service under test: cheap values, then `settings` by their names without prefix.

    `service_environment(DATABASE_URL=url, ACCESS_TOKEN_SECONDS=1, RATE_LIMITS=False)`
    """
    named = {
        PREFIX + name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()
    }
    return {**CHEAP_SETTINGS, **named}
