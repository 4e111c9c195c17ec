"""The keys that sign and check access tokens, derived from the root secret; key objects are made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from terristory.settings import derive_key

# The order of the base point of P-256 (FIPS 186-5; SEC 2, secp256r1).
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class TokenKeys:
    """The pinned algorithm, the key that signs, and by `kid` every key that still verifies."""

    algorithm: str
    signing_kid: str
    signing_key: Any
    verifying: Mapping[str, Any]

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public keys (RFC 7517); an empty set with HS256, whose key is no one else's business."""
        if self.algorithm == "HS256":
            return {"keys": []}
        to_jwk = OKPAlgorithm.to_jwk if self.algorithm == "EdDSA" else ECAlgorithm.to_jwk
        return {
            "keys": [
                {**to_jwk(key, as_dict=True), "kid": kid, "use": "sig", "alg": self.algorithm}
                for kid, key in self.verifying.items()
            ]
        }


def token_keys(algorithm: str, roots: Sequence[str]) -> TokenKeys:
    """Derive the keys of `algorithm` (HS256, EdDSA or ES256) from the root secrets, newest first: the first signs."""
    kids = [_kid(algorithm, root) for root in roots]
    pairs = [_pair(algorithm, root) for root in roots]
    verifying = {kid: public for kid, (_private, public) in zip(kids, pairs, strict=True)}
    return TokenKeys(algorithm, kids[0], pairs[0][0], verifying)


def _kid(algorithm: str, root: str) -> str:
    # Derived beside the key, not from it: the name that is shown says nothing of what it names.
    return derive_key(root, f"jwt-kid-{algorithm}").hex()[:16]


def _pair(algorithm: str, root: str) -> tuple[Any, Any]:
    seed = derive_key(root, f"jwt-{algorithm}")
    if algorithm == "EdDSA":
        ed25519 = Ed25519PrivateKey.from_private_bytes(seed)
        return ed25519, ed25519.public_key()
    if algorithm == "ES256":
        p256 = _p256_key(seed + derive_key(root, f"jwt-{algorithm}-more"))
        return p256, p256.public_key()
    return seed, seed


def _p256_key(seed: bytes) -> EllipticCurvePrivateKey:
    # 512 bits reduced to 256 leave no bias (FIPS 186-5, A.2.1: extra random bits).
    return derive_private_key(int.from_bytes(seed) % (_P256_ORDER - 1) + 1, SECP256R1())
