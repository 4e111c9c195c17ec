"""The one root secret: how it is made, judged and kept in development, and the keys derived from it."""

import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

LEAST_SECRET_BYTES = 32


def derive_key(root: str, label: str) -> bytes:
    """Derive 32 bytes for one purpose from a root secret (HKDF-SHA-256, RFC 5869; the label separates purposes)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"terristory/" + label.encode()).derive(root.encode())


def generate_secret() -> str:
    """Return a new root secret: 48 random bytes as text."""
    return secrets.token_urlsafe(48)


def is_weak_secret(secret: str) -> bool:
    """Return whether a root secret is shorter than 32 bytes or plainly not random."""
    return len(secret.encode()) < LEAST_SECRET_BYTES or len(set(secret)) < 12


def digest_of(secret: str) -> str:
    """Return the SHA-256 (hex) under which a high-entropy secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def development_secret(root: Path) -> str:
    """Return the secret kept in `instance/`, made at the first start (two processes may race: one wins)."""
    path = root / "instance" / "secret_key"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    draft = path.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        draft.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
        draft.write_text(generate_secret())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
