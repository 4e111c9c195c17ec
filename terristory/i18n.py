"""Languages: French first, English second; times in the region's zone."""

from datetime import datetime

from flask import g, request
from flask_babel import format_datetime, get_locale, ngettext, refresh
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

__all__ = ["LANGUAGES", "_", "_l", "choose_language", "choose_time_zone", "language", "local_time", "ngettext", "speak"]

LANGUAGES = ("fr", "en")
LANGUAGE_COOKIE = "langue"
DEFAULT_TIME_ZONE = "Europe/Paris"


def choose_language() -> str:
    """Choose the answer's language.

    Pages: `?lang=`, then the cookie `langue`, then the account's, then Accept-Language, then French. The JSON API
    follows Accept-Language alone. Only the two known names count (a locale is also a path: CVE-2021-42771).
    """
    accepted = _accepted_language()
    if request.path.startswith("/api/"):
        return accepted
    wishes = (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE), g.get("account_langue"), accepted)
    return next((wish for wish in wishes if wish in LANGUAGES), "fr")


def _accepted_language() -> str:
    """Return the first of our languages that the browser names, whatever the country: en-GB asks for English.

    Werkzeug's best_match prefers a whole tag: of `en-GB, fr;q=0.5` it makes French.
    """
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality > 0)
    return next((name for name in wanted if name in LANGUAGES), "fr")


def choose_time_zone() -> str:
    """Times are shown in the zone of the region whose page it is."""
    region = g.get("region")
    return region.time_zone if region is not None else DEFAULT_TIME_ZONE


def language() -> str:
    """Return the language in force: `fr` or `en`."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "fr"


def speak(account_langue: str | None) -> None:
    """Go on in the language of an account that has just changed it, or of nobody's after a sign-out (None)."""
    g.account_langue = account_langue
    refresh()


def local_time(moment: datetime, style: str = "long") -> str:
    """Format a moment for people: `long` « 3 mars 2026 à 14:05 », `day` « 3 mars 2026 », `clock` « 14:05 »."""
    if style == "day":
        return str(format_datetime(moment, "d MMMM y"))
    if style == "clock":
        return str(format_datetime(moment, "HH:mm"))
    return str(_("%(day)s à %(clock)s", day=local_time(moment, "day"), clock=local_time(moment, "clock")))
