"""What a device is called in front of its owner."""

import re

from terristory.i18n import _

MOST_CHARACTERS = 100
# Order matters: Edge and Opera also say Chrome, and Chrome also says Safari.
_BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|\bOpera")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/")),
    ("Chrome", re.compile(r"\b(?:Chrome|Chromium|CriOS)/")),
    ("Safari", re.compile(r"\bVersion/.*\bSafari/")),
)
_SYSTEMS = (
    ("Android", re.compile(r"\bAndroid\b")),
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMacintosh\b|\bMac OS X\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)
# English too: devices were once kept in the language of whoever signed in.
_UNKNOWN = ("", "Appareil inconnu", "Unknown device")
_BROWSER_ON_SYSTEM = re.compile(
    f"({'|'.join(name for name, _pattern in _BROWSERS)}) (?:sur|on) ({'|'.join(name for name, _pattern in _SYSTEMS)})"
)


def device_of_agent(user_agent: str) -> str:
    """Return what to keep of a User-Agent, in French: « Firefox sur Windows ». Nothing of it is kept as it is written.

    Whoever signs in may speak another language than the account's owner: `device_words` is for the one who reads.
    """
    browser = _first(_BROWSERS, user_agent[:500])
    system = _first(_SYSTEMS, user_agent[:500])
    if browser and system:
        return f"{browser} sur {system}"
    return browser or system or "Appareil inconnu"


def device_words(kept: str) -> str:
    """Return a kept device in the language in force; the name that an API client gave stays as it was given."""
    if kept in _UNKNOWN:
        return _("Appareil inconnu")
    found = _BROWSER_ON_SYSTEM.fullmatch(kept)
    return _("%(browser)s sur %(system)s", browser=found[1], system=found[2]) if found else kept


def tidy_device_name(name: object) -> str:
    """Return the name an API client gave its device, printable and short; "" for none or no text at all."""
    if not isinstance(name, str):
        return ""
    return "".join(character for character in name if character.isprintable()).strip()[:MOST_CHARACTERS]


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], user_agent: str) -> str:
    return next((name for name, pattern in table if pattern.search(user_agent)), "")
