"""The access token: a JWT made and verified with Flask-JWT-Extended, read strictly (RFC 8725)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256
from threading import Lock
from typing import Any, Protocol
from uuid import UUID

import jwt
from flask import Flask, current_app
from flask_jwt_extended import create_access_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException

from terristory.auth.token_keys import TokenKeys
from terristory.extensions import jwt as jwt_manager

ISSUER = "terristory"
MOST_CHARACTERS = 8192
MOST_REMEMBERED = 20_000
_HEADER_NAMES = {"alg", "typ", "kid"}
_BROKEN = (jwt.PyJWTError, JWTExtendedException, ValueError, TypeError, KeyError, OverflowError, RecursionError)


class TokenFault(Enum):
    """Why a token does not count."""

    INVALID = "invalid"
    EXPIRED = "expired"


class Owner(Protocol):
    """What is asked of an account to make a token for it: a model, a row and a plain value all have it."""

    @property
    def id(self) -> UUID: ...
    @property
    def region(self) -> str: ...
    @property
    def mail(self) -> str: ...
    @property
    def prenom(self) -> str: ...
    @property
    def nom(self) -> str: ...
    @property
    def role(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a rightly signed access token says; times are seconds since 1970."""

    user_id: UUID
    session_id: UUID
    region: str
    not_before: float
    expires: float


class VerifiedTokens:
    """Remembers the claims of tokens whose signature was right, by the token's digest; bounded, oldest out first.

    A signature cannot change its mind; everything that can (time, audience, session) is checked at each request.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._claims: dict[bytes, Claims] = {}
        self._lock = Lock()

    def get(self, digest: bytes) -> Claims | None:
        """Return the claims of a token seen before."""
        return self._claims.get(digest)

    def put(self, digest: bytes, claims: Claims) -> None:
        """Remember the claims of a token that was verified."""
        with self._lock:
            while len(self._claims) >= self._most:
                del self._claims[next(iter(self._claims))]
            self._claims[digest] = claims

    def __len__(self) -> int:
        return len(self._claims)


def use_token_keys(app: Flask, keys: TokenKeys) -> None:
    """Make `app` sign and verify access tokens with these keys and no other algorithm than theirs."""
    app.extensions["token_keys"] = keys
    app.extensions["verified_tokens"] = VerifiedTokens()

    @jwt_manager.encode_key_loader
    def signing_key(_identity: str) -> Any:
        return _keys().signing_key

    @jwt_manager.decode_key_loader
    def verifying_key(header: dict[str, Any], _claims: dict[str, Any]) -> Any:
        kid = header.get("kid")
        # `crit`, `jku`, `jwk`, `x5u`… would let a token say how it wants to be trusted (RFC 8725, 3.10).
        if set(header) - _HEADER_NAMES or not isinstance(kid, str) or kid not in _keys().verifying:
            raise jwt.InvalidTokenError("not one of our headers")
        return _keys().verifying[kid]


def extra_payload(user: Owner) -> dict[str, Any]:
    """Return what the token says about the person, for the client's display only: rights are read from the database."""
    return {"prenom": user.prenom, "nom": user.nom, "mail": user.mail, "role": str(user.role)}


def make_access_token(user: Owner, session_id: UUID, *, life_seconds: int, now: datetime) -> str:
    """Return an access token of this account and session; `exp` is rounded up to the next whole second."""
    claims = {
        "user_id": {"mail": user.mail, "region": user.region},
        "aud": user.region,
        "sid": str(session_id),
        "exp": math.ceil(now.timestamp() + life_seconds),
        **extra_payload(user),
    }
    token: str = create_access_token(
        identity=str(user.id), additional_claims=claims, additional_headers={"kid": _keys().signing_kid}
    )
    return token


def verified_claims(token: str) -> Claims | None:
    """Return what a rightly signed, complete token says, whether or not its time is over; None for any other."""
    if len(token) > MOST_CHARACTERS or not token.isascii():
        return None
    seen: VerifiedTokens = current_app.extensions["verified_tokens"]
    digest = sha256(token.encode()).digest()
    claims = seen.get(digest)
    if claims is None:
        try:
            decode_token(token, allow_expired=True)
            # decode_token adds a missing `type` and `jti` by itself: what the token truly holds is read again.
            claims = _complete(jwt.decode(token, options={"verify_signature": False}))
        except _BROKEN:
            return None
        seen.put(digest, claims)
    return claims


def read_access_token(token: str, *, region: str | None, leeway_seconds: int, now: datetime) -> Claims | TokenFault:
    """Return the claims of a token that counts now for `region` (its own one when None), or why it does not."""
    claims = verified_claims(token)
    if claims is None or (region is not None and claims.region != region):
        return TokenFault.INVALID
    seconds = now.timestamp()
    if claims.expires <= seconds - leeway_seconds:
        return TokenFault.EXPIRED
    if claims.not_before > seconds + leeway_seconds:
        return TokenFault.INVALID
    return claims


def _complete(payload: Mapping[str, Any]) -> Claims:
    """Check that every claim of ours is there and of its type; raises ValueError, KeyError or TypeError."""
    whom = payload["user_id"]
    named = [payload[name] for name in ("iss", "aud", "sub", "jti", "sid")]
    texts = (whom["mail"], whom["region"], *named)
    numbers = (payload["iat"], payload["nbf"], payload["exp"])
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("a claim is no text")
    # json.loads takes Infinity for a number: a token that never ends.
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("a time is no number")
    if payload["type"] != "access" or payload["iss"] != ISSUER or payload["aud"] != whom["region"]:
        raise ValueError("not an access token of ours")
    return Claims(UUID(payload["sub"]), UUID(payload["sid"]), payload["aud"], payload["nbf"], payload["exp"])


def _keys() -> TokenKeys:
    keys: TokenKeys = current_app.extensions["token_keys"]
    return keys
