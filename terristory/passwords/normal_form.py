"""The one form in which a password is measured, hashed and compared."""

import unicodedata

MAXIMUM_CODE_POINTS = 128
MAXIMUM_BYTES = 1024
# A composed character has at most four parts (UAX #15), so a longer text cannot shrink to the maximum: it is refused
# before the normalisation, whose cost grows with the square of a run of combining marks.
_MAXIMUM_PARTS = 4 * MAXIMUM_CODE_POINTS


def normal_form(password: str) -> str:
    """Return the password in NFC, otherwise exactly as typed: never trimmed, cut or case-folded (NIST SP 800-63B-4)."""
    return unicodedata.normalize("NFC", password)


def has_forbidden_character(password: str) -> bool:
    """Say whether it holds a control character, NUL included, or half of a surrogate pair: nobody can type these."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in password)


def is_too_long(password: str) -> bool:
    """Say whether it exceeds 128 code points or 1024 bytes of UTF-8 once in normal form; it must be encodable."""
    if len(password) > _MAXIMUM_PARTS:
        return True
    normal = normal_form(password)
    return len(normal) > MAXIMUM_CODE_POINTS or len(normal.encode()) > MAXIMUM_BYTES


def is_usable(password: str) -> bool:
    """Say whether the text can be anybody's password at all, whatever the policy in force."""
    return len(password) <= _MAXIMUM_PARTS and not has_forbidden_character(password) and not is_too_long(password)
