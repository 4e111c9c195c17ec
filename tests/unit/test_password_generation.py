"""The passwords that the service makes."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import terristory.passwords
from terristory.passwords.generation import DIGITS, LETTERS, generate_password

ALPHABET = LETTERS + DIGITS
SAMPLES = 100_000


def test_it_has_sixteen_characters_unless_told() -> None:
    assert len(generate_password()) == 16


@pytest.mark.parametrize("length", range(8, 17))
def test_it_has_the_length_asked_for(length: int) -> None:
    assert {len(generate_password(length)) for _ in range(50)} == {length}


@pytest.mark.parametrize("length", [-1, 0, 7, 17, 10_000])
def test_another_length_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="8 to 16"):
        generate_password(length)


def test_the_alphabet_is_lower_case_letters_and_digits_without_look_alikes() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 31
    assert set(ALPHABET) <= set("abcdefghijklmnopqrstuvwxyz0123456789")
    assert not set(ALPHABET) & set("ilo01")


def test_each_has_a_digit_and_nothing_but_the_alphabet() -> None:
    for _ in range(5_000):
        password = set(generate_password(8))
        assert password & set(DIGITS)
        assert password <= set(ALPHABET)


@pytest.mark.parametrize("length", [8, 16])
def test_no_sign_is_favoured_at_any_place_and_none_comes_twice(length: int) -> None:
    passwords = [generate_password(length) for _ in range(SAMPLES)]
    assert length == 8 or len(set(passwords)) == SAMPLES

    # Among the passwords with a digit, all as likely, a given place holds a given digit in 31^(n-1) of them and a
    # given letter in 31^(n-1) - 23^(n-1).
    total = 31**length - 23**length
    expected = dict.fromkeys(DIGITS, SAMPLES * 31 ** (length - 1) / total)
    expected |= dict.fromkeys(LETTERS, SAMPLES * (31 ** (length - 1) - 23 ** (length - 1)) / total)
    for place in range(length):
        seen = Counter(password[place] for password in passwords)
        chi_square = sum((seen[sign] - expected[sign]) ** 2 / expected[sign] for sign in ALPHABET)
        # 30 degrees of freedom: exceeded once in 10 million; one sign favoured by a tenth gives about 30 more.
        assert chi_square < 87


def test_the_package_takes_no_randomness_but_from_secrets() -> None:
    for module in Path(terristory.passwords.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert "random" not in {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                assert node.module != "random"
