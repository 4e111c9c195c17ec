"""Passwords made of the words that an attacker knows about a person (ASVS 5.0, 6.1.2 and 6.2.11)."""

import re
from collections.abc import Iterable, Sequence

from terristory.passwords.folding import YEAR, plain, readings, squeezed

SITE_WORDS = (
    "terristory", "territoire", "territoires", "territorial", "territoriale", "région", "régions", "régional",
    "régionale", "collectivité", "énergie", "énergies", "climat", "transition",
)  # fmt: skip
# NIST SP 800-63B-4 lets nobody choose fewer characters than this, so what is left must reach it by itself.
_ENOUGH_BESIDES = 8
_SHORTEST_ANYWHERE = 4
_SHORTEST_ALONE = 3


def known_words(about: Iterable[str]) -> list[str]:
    """Return the words of some texts and of the site, plain, longest first: each text in one piece, and its parts.

    "Jean-Luc" gives "jeanluc", "jean" and "luc"; words of one or two letters are left out.
    """
    words = set()
    for text in (*about, *SITE_WORDS):
        folded = plain(text)
        words.update([squeezed(folded), *re.findall(r"[^\W_]+", folded)])
    return sorted((word for word in words if len(word) >= _SHORTEST_ALONE), key=lambda word: (-len(word), word))


def is_personal(password: str, words: Sequence[str]) -> bool:
    """Say whether fewer than eight letters, digits or pictures are left without these `known_words` and years.

    A word counts wherever it stands, one of three letters only between other signs than letters.
    """
    text = YEAR.sub(" ", plain(password))
    spellings = zip(readings(text), *(readings(word) for word in words), strict=True)
    return any(_is_made_of(spelling, known) for spelling, *known in spellings)


def _is_made_of(text: str, words: Sequence[str]) -> bool:
    anywhere = re.compile("|".join(re.escape(word) for word in words if len(word) >= _SHORTEST_ANYWHERE))
    alone = "|".join(re.escape(word) for word in words if len(word) < _SHORTEST_ANYWHERE)
    rest, found = anywhere.subn(" ", text)
    if alone:
        rest, more = re.subn(rf"(?<![^\W\d_])(?:{alone})(?![^\W\d_])", " ", rest)
        found += more
    # Once more without the separators: "t.e.r.r.i.s.t.o.r.y".
    rest, more = anywhere.subn("", squeezed(rest))
    return found + more > 0 and len(rest) < _ENOUGH_BESIDES
