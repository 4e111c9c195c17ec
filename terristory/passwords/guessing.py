"""How many guesses a password would stand, as zxcvbn counts them, with French words and the person's own."""

import re
import threading
from collections.abc import Sequence
from functools import cache

import zxcvbn
from zxcvbn import matching

from terristory.passwords.common import french_common_passwords
from terristory.passwords.folding import without_accents

# zxcvbn refuses more, and its time grows with the square of the length.
_MOST_CHARACTERS = 72
_SAFELY_UNGUESSABLE = 3
# It counts a space as a character like any other, but the ones between words are the first thing anybody guesses.
_BETWEEN_WORDS = re.compile(r"[\s_.,'’-]+")
# It tries every combination of the letters that these signs may stand for: with all of them together one password of
# 72 characters takes 3 seconds, with one sign for each letter 0.1.
_SAME_LETTER = str.maketrans({"@": "4", "{": "(", "[": "(", "<": "(", "|": "!", "$": "5", "+": "7"})
_MOST_SIGNS = 4
_SHORT = 32

# zxcvbn keeps the caller's words in a module variable, where another thread's would replace them in the middle.
_one_at_a_time = threading.Lock()


@cache
def _teach_french() -> None:
    matching.add_frequency_lists({"french": french_common_passwords()})


def is_guessable(password: str, words: Sequence[str]) -> bool:
    """Say whether an attacker who knows these words would find it within 10^8 guesses (zxcvbn score under 3).

    Only the first 72 characters are looked at, so that it takes 0.2 s at the very most: a longer password is worth
    what they are worth, and one that zxcvbn cannot count is not vouched for. Raises nothing for any text.
    """
    text = _affordable(_BETWEEN_WORDS.sub("", without_accents(password))[:_MOST_CHARACTERS])
    if not text:
        return True
    try:
        with _one_at_a_time:
            _teach_french()
            score: int = zxcvbn.zxcvbn(text, user_inputs=list(words), max_length=_MOST_CHARACTERS)["score"]
    except ValueError:
        return True
    return score < _SAFELY_UNGUESSABLE


def _affordable(text: str) -> str:
    """Spell each letter with one sign only, where a text is long or uses many of the signs that stand for letters."""
    signs = {character for character in text if ord(character) in _SAME_LETTER or character in "(!%"}
    return text.translate(_SAME_LETTER) if len(text) > _SHORT or len(signs) > _MOST_SIGNS else text
