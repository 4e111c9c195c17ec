"""Proof of work (ALTCHA v2): a challenge that costs the sender half a second, and serves once."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from terristory.captcha.models import SpentChallenge
from terristory.database import is_sqlite
from terristory.extensions import db

# Altcha takes an unknown name in silence for another algorithm, so it is written once.
ALGORITHM = "PBKDF2/SHA-256"
FORMS = ("create_user", "confirm", "regenerate_password", "authenticate")
MOST_CHARACTERS = 4096
MOST_LEVEL = 2
# The counter is drawn, not left to luck: half a second on a desktop, and never five times that.
COUNTERS = (150, 450)
CHEAP_COUNTERS = (1, 3)


@dataclass(frozen=True)
class Solved:
    """A challenge rightly solved, not yet spent. `nonce` tells it from all others."""

    nonce: str
    expires_at: datetime


@dataclass(frozen=True)
class _KeyPair:
    challenge: bytes
    solution: bytes


_keys: list[_KeyPair] = []


def use_captcha_keys(challenge_keys: Sequence[bytes], solution_keys: Sequence[bytes]) -> None:
    """Set the keys, newest first: the first sign challenges and their solutions, all verify. Called once at start.

    Raises ValueError for an empty key, with which altcha would issue unsigned challenges in silence.
    """
    if not challenge_keys or not all([*challenge_keys, *solution_keys]):
        raise ValueError("the automatic check needs its keys")
    _keys[:] = [_KeyPair(*pair) for pair in zip(challenge_keys, solution_keys, strict=True)]


def issue_challenge(
    form: str, region: str, *, cost: int, life_seconds: int, now: datetime, level: int = 0
) -> dict[str, Any]:
    """Return a challenge for one form of one region, as the JSON that solvers expect.

    `cost` is the number of PBKDF2 iterations of one try. Each `level` (0 to MOST_LEVEL) doubles the tries: for a
    sign-in under attack. The signed `data.max` is the last counter worth trying, for a true progress bar.
    """
    least, most = (bound << min(level, MOST_LEVEL) for bound in (CHEAP_COUNTERS if cost == 1 else COUNTERS))
    challenge = altcha.create_challenge(
        ALGORITHM,
        cost,
        counter=least + secrets.randbelow(most - least + 1),
        # Whole seconds in the protocol: rounded up, so that a life of one second is one.
        expires_at=math.ceil((now + timedelta(seconds=life_seconds)).timestamp()),
        data={"form": form, "region": region, "max": most},
        hmac_secret=_keys[0].challenge,
        hmac_key_secret=_keys[0].solution,
    )
    return dict(challenge.to_dict())


def check_token_captcha(token: str, *, form: str, region: str, now: datetime) -> Solved | None:
    """Return the solved challenge that a token (the library's base64 payload) holds, or None when it holds none.

    Verified: the signature, the expiry (a challenge without one is refused), the form and region it was issued for,
    and the solution. Nothing is spent: see `spend`.
    """
    if not token or len(token) > MOST_CHARACTERS or not token.isascii():
        return None
    if not any(_is_solved(token, keys) for keys in _keys):
        return None
    parameters = altcha.Payload.from_base64(token).challenge.parameters
    data = parameters.data or {}
    if data.get("form") != form or data.get("region") != region or not isinstance(parameters.expires_at, int):
        return None
    expires_at = datetime.fromtimestamp(parameters.expires_at, UTC)
    if expires_at < now:
        return None
    # The nonce and not the payload: its counter, its time and its base64 can be varied at will.
    return Solved(parameters.nonce, expires_at)


def _is_solved(token: str, keys: _KeyPair) -> bool:
    result = altcha.verify_solution(token, keys.challenge, hmac_key_secret=keys.solution)
    return bool(result.verified)


def spend(solved: Solved) -> bool:
    """Mark a challenge as served, in the caller's transaction; False when it has served before.

    Of parallel uses one wins: the others wait for its row, then find it there.
    """
    return spend_nonce(solved.nonce, solved.expires_at)


def spend_nonce(nonce: str, expires_at: datetime) -> bool:
    """Write the row of a thing that serves once; False when it is there already. `purge` removes it when expired."""
    insert = sqlite_insert if is_sqlite() else postgresql_insert
    statement = (
        insert(SpentChallenge)
        .values(nonce=nonce, expires_at=expires_at)
        .on_conflict_do_nothing(index_elements=[SpentChallenge.nonce])
        .returning(SpentChallenge.nonce)
    )
    return db.session.scalar(statement) is not None
