"""An access token counts when it is ours in every claim, in time, for this region; nothing in it chooses how."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest

from terristory.auth.access_token import (
    ISSUER,
    Claims,
    TokenFault,
    VerifiedTokens,
    make_access_token,
    read_access_token,
    use_token_keys,
    verified_claims,
)
from terristory.auth.token_keys import token_keys
from terristory.user.models import User

ROOT, OTHER_ROOT = "r" * 40, "R" * 40
SESSION = uuid4()
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(params=["HS256", "EdDSA", "ES256"])
def keyed(request, make_app):
    app = make_app(JWT_ALGORITHM=request.param)
    use_token_keys(app, token_keys(request.param, [ROOT]))
    with app.app_context():
        yield app


@pytest.fixture
def hs256(make_app):
    app = make_app()
    use_token_keys(app, token_keys("HS256", [ROOT]))
    with app.app_context():
        yield app


def a_user():
    return User(id=uuid4(), region="bretagne", mail="a@b.fr", prenom="Zoé", nom="Le Goff", role="user")


def made(clock, user=None, life=900):
    return make_access_token(user or a_user(), SESSION, life_seconds=life, now=clock.now())


def read(token, clock, region="bretagne", leeway=10):
    return read_access_token(token, region=region, leeway_seconds=leeway, now=clock.now())


def payload_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def signed(payload, header=None, root=ROOT, algorithm="HS256"):
    keys = token_keys(algorithm, [root])
    return jwt.encode(payload, keys.signing_key, algorithm, headers={"kid": keys.signing_kid, **(header or {})})


def test_it_says_who_where_and_in_which_session(keyed, clock):
    user = a_user()
    token = made(clock, user)
    payload = payload_of(token)
    assert payload["user_id"] == {"mail": "a@b.fr", "region": "bretagne"}
    assert (payload["sub"], payload["sid"], payload["aud"], payload["iss"]) == (
        str(user.id), str(SESSION), "bretagne", ISSUER,
    )  # fmt: skip
    assert (payload["prenom"], payload["nom"], payload["mail"], payload["role"]) == ("Zoé", "Le Goff", "a@b.fr", "user")
    assert payload["type"] == "access" and isinstance(payload["jti"], str)
    claims = read(token, clock)
    assert isinstance(claims, Claims)
    assert (claims.user_id, claims.session_id) == (user.id, SESSION)


def test_its_end_is_rounded_up_to_the_next_second(hs256, clock):
    clock.move(microseconds=1)
    moment = clock.now()
    assert payload_of(made(clock, life=5))["exp"] == int(moment.timestamp()) + 6


def test_it_ends_after_its_life_and_the_leeway(keyed, clock):
    token = made(clock, life=900)
    clock.move(seconds=909)
    assert isinstance(read(token, clock), Claims)
    clock.move(seconds=1)
    assert read(token, clock) is TokenFault.EXPIRED


def test_remembering_a_signature_does_not_remember_the_time(hs256, clock):
    token = made(clock, life=60)
    assert isinstance(read(token, clock, leeway=0), Claims)
    clock.move(seconds=61)
    assert read(token, clock, leeway=0) is TokenFault.EXPIRED
    clock.move(seconds=-200)
    assert read(token, clock, leeway=0) is TokenFault.INVALID


@pytest.mark.parametrize(("ahead", "counts"), [(5, True), (60, False)])
def test_a_clock_a_little_ahead_is_forgiven(hs256, clock, ahead, counts):
    clock.move(seconds=ahead)
    token = made(clock)
    clock.move(seconds=-ahead)
    assert isinstance(read(token, clock), Claims) is counts


def test_it_counts_in_its_own_region_only(keyed, clock):
    assert read(made(clock), clock, region="normandie") is TokenFault.INVALID


@pytest.mark.parametrize("claim", ["sub", "user_id", "iss", "aud", "iat", "nbf", "exp", "jti", "sid", "type"])
def test_every_claim_is_required(hs256, clock, claim):
    payload = payload_of(made(clock))
    assert verified_claims(signed(payload)) is not None
    del payload[claim]
    assert verified_claims(signed(payload)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"aud": ["bretagne", "normandie"]},
        {"aud": ["bretagne"]},
        {"aud": "normandie"},
        {"iss": "somebody"},
        {"type": "refresh"},
        {"sub": "1"},
        {"sid": None},
        {"jti": 4},
        {"exp": "soon"},
        {"exp": True},
        {"exp": None},
        {"user_id": "a@b.fr"},
        {"user_id": {"mail": "a@b.fr", "region": "normandie"}},
    ],
)
def test_a_claim_of_another_kind_is_refused_though_rightly_signed(hs256, clock, change):
    assert verified_claims(signed(payload_of(made(clock)) | change)) is None


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../etc/passwd"},
        {"kid": "' OR 1=1"},
        {"kid": "k" * 10_000},
        {"crit": ["exp"]},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
    ],
)
def test_a_header_cannot_choose_how_it_is_trusted(hs256, clock, header):
    assert verified_claims(signed(payload_of(made(clock)), header)) is None


def test_a_token_without_kid_is_refused(hs256, clock):
    keys = token_keys("HS256", [ROOT])
    assert verified_claims(jwt.encode(payload_of(made(clock)), keys.signing_key, "HS256")) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_of_the_same_key_is_refused(hs256, clock, algorithm):
    keys = token_keys("HS256", [ROOT])
    forged = jwt.encode(payload_of(made(clock)), keys.signing_key * 2, algorithm, headers={"kid": keys.signing_kid})
    assert verified_claims(forged) is None


def test_a_public_key_does_not_serve_as_a_shared_secret(make_app, clock):
    app = make_app(JWT_ALGORITHM="EdDSA")
    with app.app_context():
        token = made(clock)
        public = app.extensions["token_keys"].jwks()["keys"][0]
        forged = jwt.encode(payload_of(token), public["x"] * 2, "HS256", headers={"kid": public["kid"]})
        assert verified_claims(forged) is None


def test_an_unsigned_token_is_refused(hs256, clock):
    head, body, _ = made(clock).split(".")
    none = json.loads(base64.urlsafe_b64decode(head + "==")) | {"alg": "none"}
    head = base64.urlsafe_b64encode(json.dumps(none).encode()).decode().rstrip("=")
    assert verified_claims(f"{head}.{body}.") is None


@pytest.mark.parametrize(
    "garbage", ["", ".", "..", "a.b.c", "é", "\ud800", "x" * 100_000, "e30.e30.e30", "W10.W10.", f"{'W1' * 3000}.x.y"]
)
def test_garbage_is_no_token(hs256, clock, garbage):
    assert verified_claims(garbage) is None


def test_the_previous_root_secret_still_verifies_and_no_longer_signs(make_app, clock):
    app = make_app()
    with app.app_context():
        use_token_keys(app, token_keys("HS256", [OTHER_ROOT]))
        old = made(clock)
        use_token_keys(app, token_keys("HS256", [ROOT, OTHER_ROOT]))
        assert isinstance(read(old, clock), Claims)
        assert jwt.get_unverified_header(made(clock))["kid"] == token_keys("HS256", [ROOT]).signing_kid
        use_token_keys(app, token_keys("HS256", [ROOT]))
        assert read(old, clock) is TokenFault.INVALID


@pytest.mark.parametrize(("algorithm", "kind"), [("EdDSA", "OKP"), ("ES256", "EC")])
def test_the_published_keys_verify_and_hold_no_private_part(database, algorithm, kind):
    keys = token_keys(algorithm, [ROOT, OTHER_ROOT])
    published = keys.jwks()["keys"]
    assert [(key["kty"], key["use"], key["alg"], "d" in key) for key in published] == [
        (kind, "sig", algorithm, False)
    ] * 2
    token = jwt.encode({"a": 1}, keys.signing_key, algorithm)
    assert jwt.decode(token, jwt.PyJWK(published[0]).key, algorithms=[algorithm]) == {"a": 1}


def test_a_shared_secret_is_not_published(database):
    assert token_keys("HS256", [ROOT]).jwks() == {"keys": []}


def test_the_memory_of_signatures_is_bounded(database):
    seen = VerifiedTokens(most=3)
    soon = (datetime.now(UTC) + timedelta(minutes=1)).timestamp()
    for number in range(10):
        seen.put(bytes([number]), Claims(UUID(int=1), UUID(int=2), "bretagne", 0, soon))
    assert len(seen) == 3
    assert seen.get(bytes([9])) is not None and seen.get(bytes([0])) is None
