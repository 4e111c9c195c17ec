"""See through what people do to a word to make it look like a password: capitals, accents, digits for letters."""

import re
import unicodedata

# Digits that are a year rather than letters in disguise.
YEAR = re.compile(r"(?:19|20)\d\d")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_LEET = {
    "0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "2": "z",
    "@": "a", "$": "s", "€": "e", "+": "t", "(": "c", "{": "c", "[": "c", "<": "c", "%": "x", "µ": "u",
}  # fmt: skip
_ONE_IS_I = str.maketrans(_LEET | dict.fromkeys("1!|", "i"))
_ONE_IS_L = str.maketrans(_LEET | dict.fromkeys("1!|", "l"))


def plain(text: str) -> str:
    """Return the text in lower case without accents, its digits and punctuation untouched."""
    return without_accents(text.casefold().translate(_LIGATURES))


def without_accents(text: str) -> str:
    """Return the text without combining marks, full-width and ligature letters in their ordinary shape."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def readings(text: str) -> tuple[str, str, str]:
    """Return a plain text as it is, and with digits and signs read as the letters they resemble (1 as i, then as l)."""
    return text, text.translate(_ONE_IS_I), text.translate(_ONE_IS_L)


def squeezed(text: str) -> str:
    """Return the letters, digits and pictures of a text, without its spaces and punctuation."""
    return "".join(character for character in text if character.isalnum() or unicodedata.category(character) == "So")


def repeated_part(text: str) -> str:
    """Return what the text repeats from end to end ("azerty" for "azertyazerty"), or the text itself."""
    repeated = re.fullmatch(r"(.+?)\1+", text, re.DOTALL)
    return repeated[1] if repeated else text
