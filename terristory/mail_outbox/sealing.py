"""Sealing the secret parts of a mail: Fernet under a key derived from the root secret; the previous key still opens."""

import base64
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_seals: list[MultiFernet] = []


def use_sealing_keys(keys: Sequence[bytes]) -> None:
    """Set the keys (32 bytes each, newest first): the first seals, all open. Called once when the app is built."""
    _seals[:] = [MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])]


def seal(secrets: Mapping[str, str]) -> str:
    """Return the secrets encrypted and authenticated (Fernet), as text."""
    return _seals[0].encrypt(json.dumps(dict(secrets)).encode()).decode()


def open_sealed(sealed: str | None) -> dict[str, str] | None:
    """Return the secrets, or None when no key opens them any more (the root secret was changed twice)."""
    if sealed is None:
        return {}
    try:
        opened: dict[str, str] = json.loads(_seals[0].decrypt(sealed.encode()))
    except InvalidToken:
        return None
    return opened
