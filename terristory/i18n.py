"""Languages: French first, English second; times in the region's zone.

Flask-Babel chooses the language and formats times. The texts are looked up here: a page asks for fifty of them, and
its own way to each (locale, its name, domain, catalogue) took a tenth of the page's time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_app_context, request
from flask_babel import force_locale, format_datetime, get_locale, refresh
from flask_babel.speaklater import LazyString
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from wtforms.i18n import messages_path

LANGUAGES = ("fr", "en")
LANGUAGE_COOKIE = "langue"
DEFAULT_TIME_ZONE = "Europe/Paris"
_LOCALES = {name: Locale.parse(name) for name in LANGUAGES}
TRANSLATIONS = Path(__file__).parent / "translations"


@cache
def _catalogue(langue: str) -> NullTranslations:
    return Translations.load(TRANSLATIONS, [langue])


@cache
def _words_of_forms(langue: str) -> NullTranslations:
    return Translations.load(messages_path(), [langue], domain="wtforms")


def _(text: str, **variables: Any) -> str:
    """Return a French text of ours in the language in force, its `%(name)s` filled in."""
    words = _catalogue(language()).ugettext(text)
    return words % variables if variables else words


def _l(text: str, **variables: Any) -> Any:
    """Return a text that is translated when it is shown: for what is written before a language is chosen."""
    return LazyString(_, text, **variables)


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """Return the one text or the other, as the language in force counts, with `%(num)d` or `%(num)s` filled in."""
    return _catalogue(language()).ungettext(singular, plural, num) % {"num": num, **variables}


@pass_context
def _in_template(context: Context, text: str, **variables: Any) -> str:
    langue = context.get("langue") or language()
    if not variables and context.eval_ctx.autoescape:
        return _as_markup(langue, text)
    return _filled_in(context, _catalogue(langue).ugettext(text), variables)


@lru_cache(maxsize=2000)
def _as_markup(langue: str, text: str) -> Markup:
    return Markup(_catalogue(langue).ugettext(text)) % {}  # noqa: S704


@pass_context
def _counted_in_template(context: Context, singular: str, plural: str, num: int, **variables: Any) -> str:
    words = _catalogue(context.get("langue") or language()).ungettext(singular, plural, num)
    return _filled_in(context, words, {"num": num, **variables})


def _filled_in(context: Context, words: str, variables: dict[str, Any]) -> str:
    # As Jinja's own "newstyle" texts: ours is trusted, what is filled into it is escaped, and it is always a format.
    return (Markup(words) if context.eval_ctx.autoescape else words) % variables  # noqa: S704


def install_texts(app: Flask) -> None:
    """Let templates look texts up in the same catalogues."""
    app.jinja_env.globals.update(_=_in_template, gettext=_in_template, ngettext=_counted_in_template)
    app.jinja_env.filters["local_time"] = local_time


class FormWords:
    """The texts of WTForms itself in the language in force, each catalogue read once (Flask-WTF: at every form)."""

    def gettext(self, text: str) -> str:
        """Return a text of the library's."""
        return _words_of_forms(language()).ugettext(text)

    def ngettext(self, singular: str, plural: str, num: int) -> str:
        """Return the one text or the other, as the language counts."""
        return _words_of_forms(language()).ungettext(singular, plural, num)


def choose_locale() -> Locale:
    """Choose the answer's language.

    Pages: `?lang=`, then the cookie `langue`, then the account's, then Accept-Language, then French. The JSON API
    follows Accept-Language alone. Only the two known names count (a locale is also a path: CVE-2021-42771).
    """
    accepted = _accepted_language()
    if request.path.startswith("/api/"):
        return _LOCALES[accepted]
    wishes = (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE), g.get("account_langue"), accepted)
    return _LOCALES[next((wish for wish in wishes if wish in LANGUAGES), "fr")]


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
    # Asked at nearly every text of a page: Flask-Babel's own way to its kept locale is ten times as long.
    within = has_app_context()
    kept: str | None = g.get("language") if within else None
    if kept is not None:
        return kept
    locale = get_locale()
    found = locale.language if locale is not None and locale.language in LANGUAGES else "fr"
    if within:
        g.language = found
    return found


def speak(account_langue: str | None) -> None:
    """Go on in the language of an account that has just changed it, or of nobody's after a sign-out (None)."""
    g.account_langue = account_langue
    g.pop("language", None)
    refresh()


@contextmanager
def speaking(langue: str) -> Iterator[None]:
    """Speak the language of somebody else for the time of a `with`: the reader of a mail."""
    before = language()
    with force_locale(langue):
        g.language = langue
        try:
            yield
        finally:
            g.language = before


def local_time(moment: datetime, style: str = "long") -> str:
    """Format a moment for people: `long` « 3 mars 2026 à 14:05 », `day` « 3 mars 2026 », `clock` « 14:05 »."""
    if style == "day":
        return str(format_datetime(moment, "d MMMM y"))
    if style == "clock":
        return str(format_datetime(moment, "HH:mm"))
    return str(_("%(day)s à %(clock)s", day=local_time(moment, "day"), clock=local_time(moment, "clock")))
