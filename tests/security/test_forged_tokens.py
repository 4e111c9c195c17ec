"""Forged access tokens over HTTP: no header of a token decides how it is trusted, at any door that reads one."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest

from terristory.auth.token_keys import token_keys
from terristory.user.lookup import find_by_mail
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD, SECRET_KEY
from tests.support.people import an_account

MAIL = "jeanne@brest.test"
ME, VERIFY = "/api/bretagne/auth/me", "/api/bretagne/auth/verify"
REFRESH, LOGOUT = "/api/bretagne/auth/refresh", "/api/bretagne/auth/logout"
ONLY_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
KEYS = token_keys("HS256", [SECRET_KEY])


def coded(part):
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header, payload, key=KEYS.signing_key, digest=hashlib.sha256):
    """Sign whatever one likes: the library would refuse to make some of these."""
    text = f"{coded(header)}.{coded(payload)}"
    return f"{text}.{coded(hmac.new(key, text.encode(), digest).digest())}"


def right_header(**more):
    return {"alg": "HS256", "typ": "JWT", "kid": KEYS.signing_kid, **more}


@pytest.fixture
def tokens(client):
    an_account(MAIL)
    return client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD}).get_json()


@pytest.fixture
def payload(tokens):
    return jwt.decode(tokens["access_token"], options={"verify_signature": False})


def doors(client, token, refresh_token):
    """What each door that reads an access token answers."""
    headers = {"Authorization": f"Bearer {token}"}
    return {
        "me": client.get(ME, headers=headers).status_code,
        "verify": client.get(VERIFY, headers=headers).status_code,
        "refresh": client.post(REFRESH, json={"refresh_token": refresh_token}, headers=headers).status_code,
        "logout": client.post(LOGOUT, headers=headers).status_code,
    }


REFUSED = {"me": 401, "verify": 401, "refresh": 401, "logout": 401}


def test_the_forger_of_these_tests_signs_as_we_do(client, tokens, payload):
    """Otherwise every refusal below would prove nothing."""
    token = by_hand(right_header(), payload)
    assert client.get(ME, headers={"Authorization": f"Bearer {token}"}).status_code == 200


ODD_HEADERS = {
    "none": {"alg": "none"},
    "None": {"alg": "None"},
    "nOnE": {"alg": "nOnE"},
    "empty algorithm": {"alg": ""},
    "no text": {"alg": None},
    "HS512 said": {"alg": "HS512"},
    "HS384 said": {"alg": "HS384"},
    "RS256 said": {"alg": "RS256"},
    "ES256 said": {"alg": "ES256"},
    "PS256 said": {"alg": "PS256"},
    "EdDSA said": {"alg": "EdDSA"},
    "lower case": {"alg": "hs256"},
    "a path": {"kid": "../../../../etc/passwd"},
    "an empty file": {"kid": "/dev/null"},
    "SQL": {"kid": "' OR '1'='1"},
    "a command": {"kid": "x|/bin/true"},
    "ten thousand letters": {"kid": "k" * 10_000},
    "no kid": {"kid": None},
    "a number": {"kid": 7},
    "a list": {"kid": ["a"]},
    "jku": {"jku": "https://evil.example/jwks.json"},
    "x5u": {"x5u": "https://evil.example/chain.pem"},
    "x5c": {"x5c": ["MIIB"]},
    "jwk": {"jwk": {"kty": "oct", "k": coded(b"evil")}},
    "crit": {"crit": ["exp"], "exp": 1},
    "unknown crit": {"crit": ["http://evil.example/x"], "http://evil.example/x": True},
    "b64": {"b64": False, "crit": ["b64"]},
    "zip": {"zip": "DEF"},
    "cty": {"cty": "JWT"},
}


@pytest.mark.parametrize("header", ODD_HEADERS.values(), ids=ODD_HEADERS)
def test_a_header_that_says_otherwise_is_refused_though_the_signature_is_right(client, tokens, payload, header):
    forged = by_hand(right_header(**header), payload)
    assert doors(client, forged, tokens["refresh_token"]) == REFUSED
    assert client.get(ME, headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200


@ONLY_SQLITE
@pytest.mark.parametrize("signature", ["", "AA", coded(b"\0" * 32)])
@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_its_signature_is_refused(client, tokens, payload, algorithm, signature):
    forged = f"{coded(right_header(alg=algorithm))}.{coded(payload)}.{signature}"
    assert doors(client, forged, tokens["refresh_token"]) == REFUSED


@ONLY_SQLITE
@pytest.mark.parametrize(
    "key", [b"", b"secret", SECRET_KEY.encode(), KEYS.signing_kid.encode(), b"None", b"terristory"]
)
def test_a_key_that_can_be_guessed_signs_nothing(client, tokens, payload, key):
    """The root secret itself is no key either: each use derives its own (ASVS 11.2.3)."""
    assert doors(client, by_hand(right_header(), payload, key=key), tokens["refresh_token"]) == REFUSED


@ONLY_SQLITE
@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_the_published_key_does_not_serve_as_a_shared_secret(make_app, algorithm):
    app = make_app(JWT_ALGORITHM=algorithm, RATE_LIMITS=False)
    with app.app_context():
        an_account(MAIL)
        client = app.test_client()
        tokens = client.post("/api/bretagne/auth", json={"login": MAIL, "password": PASSWORD}).get_json()
        payload = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        published = client.get("/.well-known/jwks.json").get_json()["keys"][0]
        header = {"alg": "HS256", "typ": "JWT", "kid": published["kid"]}
        for key in (json.dumps(published).encode(), base64.urlsafe_b64decode(published["x"] + "==")):
            assert doors(client, by_hand(header, payload, key=key), tokens["refresh_token"]) == REFUSED


@ONLY_SQLITE
def test_nothing_else_that_we_sign_or_give_is_an_access_token(client, tokens):
    """Links, captchas, form tokens, device cookies and refresh tokens have keys and forms of their own."""
    client.post("/api/bretagne/user/auth", json={"login": MAIL, "password": PASSWORD})
    user = find_by_mail("bretagne", MAIL)
    others = [
        tokens["refresh_token"],
        solved_captcha(client, "bretagne", "create_user"),
        client.get_cookie("csrf_token").value,
        client.get_cookie("device").value,
        *(sign_link(kind, "bretagne", user.id) for kind in LinkKind),
    ]
    stranger = client.application.test_client()
    for value in others:
        assert stranger.get(ME, headers={"Authorization": f"Bearer {value}"}).status_code == 401, value[:20]
        stranger.set_cookie("access_token", value)
        assert stranger.get(ME).status_code == 401, value[:20]


@ONLY_SQLITE
@pytest.mark.parametrize(
    "garbage",
    [
        "a.b.c",
        "..",
        ".",
        "a.b.c.d.e",
        "é.é.é",
        "\x7f",
        "A" * 9000,
        "[" * 5000,
        coded(b"[" * 4000) + ".e30.AA",
        coded(b'{"alg":"HS256","alg":"none"}') + ".e30.AA",
        coded(b"\xff\xfe") + ".e30.AA",
        "e30.e30.",
        "null.null.null",
    ],
)
def test_garbage_is_a_401_in_a_header_and_in_a_cookie(client, garbage):
    assert client.get(ME, headers={"Authorization": f"Bearer {garbage}"}).status_code == 401
    lone = client.application.test_client(use_cookies=False)
    assert lone.get(ME, headers={"Cookie": f'access_token="{garbage}"'}).status_code == 401


@ONLY_SQLITE
@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", ["bretagne", "corse"]),
        ("aud", "corse"),
        ("type", "refresh"),
        ("iss", "terri"),
        ("iss", "terristory.evil"),
        ("sub", 1),
        ("sid", "x"),
        ("exp", "never"),
        ("exp", 1e400),
        ("nbf", None),
        ("iat", True),
        ("user_id", "x"),
        ("user_id", {"mail": MAIL, "region": "corse"}),
    ],
)
def test_a_claim_of_another_kind_is_refused_though_rightly_signed(client, tokens, payload, claim, value):
    forged = by_hand(right_header(), {**payload, claim: value})
    assert doors(client, forged, tokens["refresh_token"]) == REFUSED


@ONLY_SQLITE
def test_the_role_in_a_token_gives_no_power(client, tokens, payload):
    forged = by_hand(right_header(), {**payload, "role": "admin", "is_admin": True, "scopes": ["admin"]})
    answer = client.get("/api/bretagne/admin/users", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 403
