"""Words that mails share: what a person wrote made harmless, lives and moments in the reader's words."""

import re
import shlex
from datetime import datetime, timedelta

from terristory.i18n import local_time, ngettext

# A word joiner: invisible, without width, and no reader makes a link of what it splits.
_JOINER = "\u2060"
_LINKABLE = re.compile(r"(?<=\w)\.(?=\w)|:(?=//)|(?<=\S)@(?=\S)")


def said(text: str | None, limit: int = 300) -> str:
    """Return what a person wrote, cut to `limit` characters, with nothing that a mail reader would make clickable.

    A request is a way to have us write to others: an address in a name must not become a link (OWASP, RG-10).
    """
    words = (text or "").strip()
    if len(words) > limit:
        words = words[: limit - 1].rstrip() + "…"
    return _LINKABLE.sub(lambda found: found.group() + _JOINER, words)


def said_mail(mail: str | None) -> str:
    """Return an address as it is: it was checked, and has to be copied."""
    return mail or ""


def in_words(seconds: int) -> str:
    """Return a life in words: « 7 jours », « 1 heure »; never more than it is."""
    if seconds >= 86400:
        return str(ngettext("%(num)d jour", "%(num)d jours", seconds // 86400))
    if seconds >= 3600:
        return str(ngettext("%(num)d heure", "%(num)d heures", seconds // 3600))
    if seconds >= 60:
        return str(ngettext("%(num)d minute", "%(num)d minutes", seconds // 60))
    return str(ngettext("%(num)d seconde", "%(num)d secondes", seconds))


def end_of_life(begun: datetime, seconds: int) -> str:
    """Return when a life that began at `begun` ends: the time of day, with the day when it is long."""
    end = begun + timedelta(seconds=seconds)
    return local_time(end, "clock" if seconds < 43200 else "long")


def moment(iso: str) -> datetime:
    """Return the moment a mail's context keeps as ISO 8601 text."""
    return datetime.fromisoformat(iso)


def quoted(text: str) -> str:
    """Return a value as one word of a shell's command line."""
    return shlex.quote(text)
