"""Which passwords a person may choose: long enough, and not what an attacker would try (NIST SP 800-63B-4)."""

from collections.abc import Sequence
from enum import StrEnum

from terristory.passwords.common import is_common
from terristory.passwords.guessing import is_guessable
from terristory.passwords.normal_form import has_forbidden_character, is_too_long, normal_form
from terristory.passwords.personal import is_personal, known_words

MINIMUM_CODE_POINTS = 12


class Reason(StrEnum):
    """Why a password is refused; the doors choose the words."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    FORBIDDEN_CHARACTER = "forbidden_character"
    COMMON = "common"
    PERSONAL = "personal"
    GUESSABLE = "guessable"


def reasons_to_refuse(password: str, about: Sequence[str], *, minimum: int = MINIMUM_CODE_POINTS) -> list[Reason]:
    """Return why this password cannot be chosen; an empty list accepts it.

    `about` holds what an attacker knows: the person's names, address and organisation, the region's key and name, as
    whole texts (they are split here; the site's own words are added). `minimum` and the maximum of 128 count code
    points in NFC. No composition is asked for: a phrase in lower case, spaces and emoji will do. Raises nothing.
    """
    if has_forbidden_character(password):
        return [Reason.FORBIDDEN_CHARACTER]
    if is_too_long(password):
        return [Reason.TOO_LONG]
    password = normal_form(password)
    words = known_words(about)
    reasons = [
        reason
        for reason, holds in (
            (Reason.TOO_SHORT, len(password) < minimum),
            (Reason.COMMON, is_common(password)),
            (Reason.PERSONAL, is_personal(password, words)),
        )
        if holds
    ]
    # The slowest question comes last, and only if nothing more telling has been said.
    if not reasons and is_guessable(password, words):
        return [Reason.GUESSABLE]
    return reasons
