"""Passwords that everybody chooses: the international lists of zxcvbn and a French one of ours (ASVS 5.0, 6.2.4)."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from zxcvbn.frequency_lists import FREQUENCY_LISTS

from terristory.passwords.folding import YEAR, plain, readings, repeated_part, squeezed

# A date. With more around it a word is judged by its guesses: many digits drawn at random are worth something.
_MOST_DECORATION = 8
_SHORTEST_WORD = 4


@cache
def french_common_passwords() -> tuple[str, ...]:
    """Return our French list, folded (no accent, no space), the commonest first."""
    lines = files("terristory.passwords").joinpath("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


@cache
def _common_passwords() -> frozenset[str]:
    international: list[str] = FREQUENCY_LISTS["passwords"]
    return frozenset(international).union(french_common_passwords())


def is_common(password: str) -> bool:
    """Say whether it is a common password, once seen through case, accents, spaces, leet, repetition and decoration.

    Decoration is eight characters at most that are neither letters nor spaces: "!!Azerty2024".
    """
    common = _common_passwords()
    return any(form in common for form in _forms(plain(password)))


def _forms(text: str) -> Iterator[str]:
    """List what a plain text may stand for."""
    for dated in (text, YEAR.sub("", text)):
        for undecorated in _undecorated(dated):
            for reading in readings(undecorated):
                form = squeezed(reading)
                if len(form) + _MOST_DECORATION >= len("".join(reading.split())):
                    yield from (form, repeated_part(form))


def _undecorated(text: str) -> Iterator[str]:
    """Strip what are no letters: at the end, the beginning, both, everywhere (a leading 4 may stand for a letter)."""
    yield text
    letters = [place for place, character in enumerate(text) if character.isalpha()]
    if not letters:
        return
    first, last = letters[0], letters[-1] + 1
    for core in (text[:last], text[first:], text[first:last], "".join(text[place] for place in letters)):
        if len(core) >= _SHORTEST_WORD and len(text) - len(core) <= _MOST_DECORATION:
            yield core
