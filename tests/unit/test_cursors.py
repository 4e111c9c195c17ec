"""Cursors: what generated tests found, kept where every run sees it."""

import base64

import pytest

from terristory.api.paging import BadCursor, decode_cursor, encode_cursor
from terristory.user.forms import MOST_NAME
from terristory.user.mail_address import folded


@pytest.mark.parametrize("letter", ["a", "é", "𐎠", "'"])
def test_a_cursor_holds_the_longest_names_in_any_script(letter: str) -> None:
    names = f"{letter * MOST_NAME}\n{letter * MOST_NAME}"
    keys = ("-created_at", names, "f" * 32)
    assert decode_cursor(encode_cursor(*keys), (str, str, str)) == keys


@pytest.mark.parametrize("text", [r"\ud800", r"\udfff", r"\u0000", r"a\ud83db"])
def test_a_text_that_a_database_refuses_is_no_cursor(text: str) -> None:
    cursor = base64.urlsafe_b64encode(f'["{text}"]'.encode()).decode()
    with pytest.raises(BadCursor):
        decode_cursor(cursor, (str,))


def test_a_folded_text_has_neither_accents_nor_capitals_whatever_hides_them() -> None:
    assert [folded(word) for word in ("Éléonore", "℠", "STRASSE", "straße", "ﬁ")] == [
        "eleonore", "sm", "strasse", "strasse", "fi",
    ]  # fmt: skip
