"""Passwords made for people: the temporary ones, copied from a mail or read from a terminal."""

import secrets

# Without i, l, o, 0 and 1, which many typefaces do not tell apart.
LETTERS = "abcdefghjkmnpqrstuvwxyz"
DIGITS = "23456789"
SHORTEST = 8
LONGEST = 16


def generate_password(length: int = LONGEST) -> str:
    """Return a random password of 8 to 16 lower-case letters and digits, at least one of them a digit.

    Every such password is equally likely: one without a digit is thrown away whole and drawn again, because putting a
    digit in afterwards would favour some. Entropy, log2(31^n - 23^n): 79.2 bits at 16 characters, 59.4 at 12 and 39.5
    at 8, which only suits a secret of short life and few tries (ASVS 5.0, 6.4.1 and 11.5.1). Raises ValueError for
    another length.
    """
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"a generated password has {SHORTEST} to {LONGEST} characters, not {length}")
    while True:
        password = "".join(secrets.choice(LETTERS + DIGITS) for _ in range(length))
        if any(character in DIGITS for character in password):
            return password
