"""Mail addresses: kept as typed, compared in canonical form."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from terristory.errors import DomainError, Kind

MOST_CHARACTERS = 254


class BadMailAddress(DomainError):
    """Not an address that mail can be sent to without SMTPUTF8."""

    code = "bad_mail"
    kind = Kind.UNPROCESSABLE


def canonical_mail(typed: str) -> str:
    """Return the form under which an address is unique, signs in, is throttled and gets a new password.

    NFC, local part casefolded, domain IDNA ASCII in lower case (RFC 5321, 5890). Raises BadMailAddress for what SMTP
    does not take without SMTPUTF8, several addresses, quoted local parts, domain literals and control characters.
    """
    trimmed = unicodedata.normalize("NFC", typed).strip()
    if len(trimmed) > MOST_CHARACTERS:
        raise BadMailAddress
    try:
        checked = validate_email(
            trimmed, allow_smtputf8=False, check_deliverability=False, strict=True, test_environment=True
        )
    except (EmailNotValidError, UnicodeError):
        raise BadMailAddress from None
    canonical = f"{checked.ascii_local_part}@{checked.ascii_domain}".casefold()
    if not canonical.isascii() or not canonical.isprintable() or len(canonical) > MOST_CHARACTERS:
        raise BadMailAddress
    return canonical


def canonical_or_blank(typed: str) -> str:
    """Return the canonical form, or "" (which no account has) for what is no address: a sign-in must not tell."""
    try:
        return canonical_mail(typed)
    except BadMailAddress:
        return ""


def folded(*words: str) -> str:
    """Return words as plain lower-case letters without accents, for searching: « Éléonore » → `eleonore`."""
    # Decomposed on both sides of casefold: « ℠ » hides capitals, and casefold makes new accents.
    lower = unicodedata.normalize("NFKD", " ".join(words)).casefold()
    decomposed = unicodedata.normalize("NFKD", lower)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
