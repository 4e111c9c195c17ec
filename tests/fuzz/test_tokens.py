"""Rightly signed tokens whose claims are anything at all: each is read as a token of ours, or refused; no error."""

import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from terristory.auth.access_token import TokenFault, read_access_token, verified_claims
from terristory.clock import utc_now
from terristory.settings import derive_key
from tests.support.environment import SECRET_KEY
from tests.support.fuzzing import bounded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fuzz,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
KEY, KID = derive_key(SECRET_KEY, "jwt-HS256"), derive_key(SECRET_KEY, "jwt-kid-HS256").hex()[:16]
CLAIMS = ("sub", "user_id", "iss", "aud", "iat", "nbf", "exp", "jti", "sid", "type", "fresh", "csrf")
JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(("mail", "region", "x")), inner)
    ),
    max_leaves=8,
)
HEADERS = st.dictionaries(st.sampled_from(("kid", "jku", "jwk", "x5u", "crit", "cty", "typ", "zip")), JSON, max_size=3)


def good() -> dict[str, Any]:
    now = int(time.time())
    return {
        "sub": str(uuid4()),
        "user_id": {"mail": "a@b.fr", "region": "bretagne"},
        "iss": "terristory",
        "aud": "bretagne",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "jti": str(uuid4()),
        "sid": str(uuid4()),
        "type": "access",
        "fresh": False,
    }


def signed(claims: dict[str, Any], headers: dict[str, Any]) -> str:
    """Sign what PyJWT would refuse to write: its writer checks some claims."""
    encoded = jwt.PyJWS().encode(
        jwt.PyJWT()._encode_payload(claims), KEY, "HS256", headers={"typ": "JWT", "kid": KID, **headers}
    )
    return str(encoded)


def test_the_token_that_the_others_are_made_from_is_good(app: Flask) -> None:
    claims = read_access_token(signed(good(), {}), region="bretagne", leeway_seconds=10, now=utc_now())
    assert not isinstance(claims, TokenFault)


@bounded
@given(changed=st.dictionaries(st.sampled_from(CLAIMS), JSON, max_size=4), dropped=st.sets(st.sampled_from(CLAIMS)))
def test_any_claims_are_read_or_refused(app: Flask, changed: dict[str, Any], dropped: set[str]) -> None:
    claims = {name: value for name, value in {**good(), **changed}.items() if name not in dropped}
    token = signed(claims, {})
    found = verified_claims(token)
    if found is None:
        return
    assert not dropped - {"fresh", "csrf"}
    assert claims["iss"] == "terristory" and claims["type"] == "access"
    assert found.region == claims["aud"] == claims["user_id"]["region"]
    read = read_access_token(token, region="bretagne", leeway_seconds=10, now=utc_now())
    if not isinstance(read, TokenFault):
        assert read.region == "bretagne" and read.not_before <= time.time() + 11 and read.expires > time.time() - 11


@bounded
@given(headers=HEADERS)
def test_a_header_that_says_how_to_trust_it_is_refused(app: Flask, headers: dict[str, Any]) -> None:
    try:
        token = signed(good(), headers)
    except (jwt.PyJWTError, TypeError, ValueError):
        return
    if verified_claims(token) is not None:
        assert set(headers) <= {"kid", "typ"} and headers.get("kid", KID) == KID


@bounded
@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_any_text_is_no_token(app: Flask, text: str) -> None:
    assert verified_claims(text) is None


@bounded
@given(place=st.integers(min_value=0, max_value=399), letter=st.sampled_from("AQgw01-_.=% "))
def test_a_token_with_one_letter_changed_is_refused_or_the_same(app: Flask, place: int, letter: str) -> None:
    token = signed(good(), {})
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token and verified_claims(changed) is not None:
        # The last letter of base64 holds bits that nobody reads.
        assert place == len(token) - 1
