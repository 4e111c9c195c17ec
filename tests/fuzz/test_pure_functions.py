"""Whatever is typed, the small functions that stand at the edge keep their word."""

import base64
import json
import unicodedata
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from terristory.api.paging import BadCursor, decode_cursor, encode_cursor
from terristory.user.forms import MOST_NAME, ProfileFields
from terristory.user.mail_address import BadMailAddress, canonical_mail, canonical_or_blank, folded
from terristory.web.base_form import has_unprintable, tidy
from terristory.web.safe_redirects import local_path
from tests.support.fuzzing import bounded

pytestmark = [pytest.mark.slow, pytest.mark.fuzz, pytest.mark.timeout(600)]

ANYTHING = st.text(st.characters(exclude_categories=()))
SITE = "https://compte.example.fr"
LOCAL = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", fullmatch=True)
DOMAIN = st.one_of(
    st.from_regex(r"([a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\.){1,3}[a-z]{2,6}", fullmatch=True),
    st.builds("{}.fr".format, st.text(st.characters(categories=("L", "M", "N")), min_size=1, max_size=12)),
)
MAILS = st.builds("{}@{}".format, LOCAL, DOMAIN)


def canonical(typed: str) -> str | None:
    try:
        return canonical_mail(typed)
    except BadMailAddress:
        return None


@bounded
@given(st.one_of(ANYTHING, MAILS, st.builds("{}{}{}".format, ANYTHING, MAILS, ANYTHING)))
@example("ß@straße.de")
@example("a@" + "a." * 200 + "fr")
@example("a@xn--.fr")
@example("a@[127.0.0.1]")
@example('"a b"@b.fr')
@example("İ@b.fr")
@example("\ud800@b.fr")
def test_an_address_is_canonical_once_and_for_all_or_refused(typed: str) -> None:
    found = canonical(typed)
    assert canonical_or_blank(typed) == (found or "")
    if found is not None:
        assert canonical_mail(found) == found
        assert found.isascii() and found.isprintable() and found == found.lower() and len(found) <= 254
        assert found.count("@") == 1 and not set(found) & set(' \t\r\n<>(),;:"')


@bounded
@given(MAILS, st.sampled_from([str.upper, str.title, str.swapcase, " {} ".format, "\n{}\t".format]))
def test_another_spelling_of_an_address_is_the_same_address(mail: str, spelling: object) -> None:
    found = canonical(mail)
    # Capitals of other scripts do not always come back («ß» becomes «SS»): IDNA calls those other domains.
    if found is not None and mail.isascii():
        assert canonical(spelling(mail)) == found  # type: ignore[operator]
    if found is not None:
        assert canonical(unicodedata.normalize("NFD", mail)) == canonical(unicodedata.normalize("NFC", mail))


WISHES = st.one_of(
    ANYTHING,
    st.lists(
        st.sampled_from(
            ["/", "//", "\\", "..", ".", "%2f", "%5c", ":", "@", "?", "#", "\t", "\n", "\r", "\0", " ", ";",
             "https:", "javascript:", "data:", "evil.example", "bretagne", "compte", "é", "／", "。"]
        ),
        max_size=8,
    ).map("".join),
)  # fmt: skip


@bounded
@given(WISHES)
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https:///evil.example")
@example("/..//evil.example")
def test_a_wished_path_stays_on_this_site_or_is_none(wish: str) -> None:
    path = local_path(wish)
    if path is not None:
        assert path == wish and path.startswith("/") and not path.startswith(("//", "/\\"))
        assert not any(unicodedata.category(character)[0] in "CZ" for character in path)
        # As browsers read it: backslashes are slashes, tabs and line ends are nothing.
        seen = urlsplit(urljoin(SITE + "/bretagne/connexion", path.replace("\\", "/")))
        assert (seen.scheme, seen.netloc) == ("https", "compte.example.fr")


NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=MOST_NAME)
# What the lists put into cursors: the line of the journal; the order, two names on one line, the account.
KEYS = st.one_of(
    st.tuples(st.integers(-(2**62) + 1, 2**62 - 1)),
    st.builds(lambda nom, prenom: ("-created_at", f"{nom}\n{prenom}", "f" * 32), NAME, NAME),
)


@bounded
@given(KEYS)
@example(("-created_at", "𐎠" * MOST_NAME + "\n" + "𐎠" * MOST_NAME, "f" * 32))
def test_a_cursor_gives_back_what_was_put_into_it(keys: tuple[str | int, ...]) -> None:
    cursor = encode_cursor(*keys)
    assert cursor.isascii() and "=" not in cursor
    types = tuple(type(key) for key in keys)
    assert decode_cursor(cursor, types) == keys  # type: ignore[arg-type]


JSON_TEXTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
).map(json.dumps)
CURSORS = st.one_of(
    ANYTHING,
    st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")),
    JSON_TEXTS.map(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")),
)


@bounded
@given(CURSORS, st.sampled_from([(int,), (str,), (str, str), (str, int), (str, str, str)]))
@example(base64.b64encode(b"[" * 1500).decode(), (str, str))
@example(base64.b64encode(b"[" + b"9" * 1400 + b"]").decode(), (int,))
@example(base64.b64encode(b'["\\ud800"]').decode(), (str,))
@example(base64.b64encode(b"[1e999]").decode(), (int,))
def test_a_foreign_cursor_is_refused_or_holds_what_was_asked_for(cursor: str, types: tuple[type, ...]) -> None:
    try:
        keys = decode_cursor(cursor, types)  # type: ignore[arg-type]
    except BadCursor:
        return
    if keys is None:
        assert cursor == ""
        return
    assert tuple(type(key) for key in keys) == types
    for key in keys:
        # PostgreSQL takes neither NUL nor lone surrogates, and integers of 64 bits.
        assert "\0" not in str(key) and str(key).encode()
        assert not isinstance(key, int) or abs(key) < 2**62


@bounded
@given(ANYTHING)
def test_tidying_a_text_twice_is_tidying_it_once(typed: str) -> None:
    once = tidy(typed)
    assert once is not None and tidy(once) == once and unicodedata.is_normalized("NFC", once)


@bounded
@given(st.lists(ANYTHING, max_size=3))
def test_a_folded_text_finds_itself_whatever_its_accents(words: list[str]) -> None:
    found = folded(*words)
    assert not any(unicodedata.combining(character) for character in found)
    assert folded(found) == found == found.casefold()


NAMES = st.one_of(
    ANYTHING,
    st.text(st.characters(categories=("L", "M")), max_size=120),
    st.text(st.sampled_from("abÉçñ'’-. ·1_<>&\u200d\u200c\u202e\u0301\0\n"), max_size=110),
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@bounded
@given(name=NAMES)
@example(name="O'Brien")
@example(name="Nguyễn")
@example(name="Le Goff-Ÿ")
@example(name="--'.")
@example(name="a\u202eb")
def test_a_name_that_is_accepted_can_be_shown_literally(app: Flask, name: str) -> None:
    with app.test_request_context():
        form = ProfileFields(MultiDict({"prenom": name}), meta={"csrf": False})
        form.validate()
        if "prenom" in form.errors:
            return
        kept = form.prenom.data
        assert kept == tidy(name) and 0 < len(kept) <= MOST_NAME
        assert any(character.isalpha() for character in kept) and not has_unprintable(kept)
        assert not set(kept) & set('<>&"\r\n\t/:@=+')


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@bounded
@given(name=st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=40))
def test_a_name_of_letters_is_accepted_in_any_script(app: Flask, name: str) -> None:
    with app.test_request_context():
        form = ProfileFields(MultiDict({"prenom": name}), meta={"csrf": False})
        form.validate()
        assert "prenom" not in form.errors
