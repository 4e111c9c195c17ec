"""Settings: read once from the environment (and an optional `.env`), checked together, frozen."""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from dotenv import dotenv_values
from limits import parse as parse_limit

PREFIX = "TERRISTORY_"
PROJECT_ROOT = Path(__file__).resolve().parent.parent
LEAST_SECRET_BYTES = 32
JWT_ALGORITHMS = ("HS256", "EdDSA", "ES256")


class SettingsError(ValueError):
    """The environment cannot be served from; `faults` names every setting at fault, never its value."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("Settings that cannot be used:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over. `security`: `starttls` (587), `tls` (465) or `plain` (a relay on loopback)."""

    host: str
    port: int
    security: Literal["starttls", "tls", "plain"]
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything the service can be told. Names are those of the environment without the prefix, in lower case."""

    env: Literal["development", "production"]
    secret_key: str = field(repr=False)
    secret_key_previous: str | None = field(repr=False)
    database_url: str = field(repr=False)
    public_url: str
    trusted_hosts: tuple[str, ...]
    trusted_proxies: int
    smtp: SmtpServer | None
    mail_from: str
    operator_mail: str
    redis_url: str | None = field(repr=False)
    web_workers: int
    web_threads: int
    rate_limits: bool
    limit_register: str
    limit_regenerate: str
    limit_sign_in: str
    limit_captcha: str
    limit_refresh: str
    limit_admin: str
    jwt_algorithm: str
    access_token_seconds: int
    jwt_leeway_seconds: int
    refresh_grace_seconds: int
    session_idle_seconds: int
    session_max_seconds: int
    temporary_password_seconds: int
    invitation_seconds: int
    confirmation_seconds: int
    captcha_seconds: int
    no_script_wait_seconds: int
    keep_unconfirmed_days: int
    keep_refused_days: int
    keep_inactive_days: int
    keep_audit_days: int
    keep_mail_days: int
    account_erasure_days: int
    require_mail_confirmation: bool
    password_min_length: int
    captcha_cost: int
    argon2_memory_kib: int
    argon2_time: int
    metrics_token: str | None = field(repr=False)
    host: str
    port: int

    @property
    def production(self) -> bool:
        """Whether this is a real service (refusals, `__Host-` cookies, HSTS, no development route)."""
        return self.env == "production"

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are `Secure` and named `__Host-…`: in production.

        Development is served over plain http, whatever PUBLIC_URL puts into the links of its mails.
        """
        return self.production

    def key(self, label: str) -> bytes:
        """Return the 32-byte key for `label`, derived from the root secret (HKDF-SHA-256, RFC 5869)."""
        return derive_key(self.secret_key, label)

    def keys(self, label: str) -> list[bytes]:
        """Return the keys that still open things, newest first: the current one, then the previous one if any."""
        roots = [self.secret_key] + ([self.secret_key_previous] if self.secret_key_previous else [])
        return [derive_key(root, label) for root in roots]


def derive_key(root: str, label: str) -> bytes:
    """Derive 32 bytes for one purpose from a root secret (HKDF-SHA-256, RFC 5869; the label separates purposes)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"terristory/" + label.encode()).derive(root.encode())


def environment() -> dict[str, str]:
    """Return the process's environment on top of the project's optional `.env` file."""
    from_file = {name: value for name, value in dotenv_values(PROJECT_ROOT / ".env").items() if value is not None}
    return {**from_file, **os.environ}


def read_settings(environ: Mapping[str, str], *, root: Path = PROJECT_ROOT) -> Settings:
    """Build the settings from a mapping of environment variables.

    Raises SettingsError listing every fault at once, each by the name of its setting and never by its value.
    """
    reader = _Reader(environ)
    values = _read_values(reader, root)
    _refuse_in_production(values, reader)
    if reader.faults:
        raise SettingsError(reader.faults)
    return Settings(**{item.name: values[item.name] for item in fields(Settings)})


class _Reader:
    """Reads typed values and collects the faults; the value of a faulty setting is never repeated."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.faults: list[str] = []

    def fault(self, name: str, why: str) -> None:
        self.faults.append(f"{PREFIX}{name} {why}")

    def text(self, name: str, default: str | None = None) -> str | None:
        return (self.environ.get(PREFIX + name) or "").strip() or default

    def whole(self, name: str, default: int, *, least: int = 1, most: int = 10**9) -> int:
        raw = self.text(name)
        if raw is None:
            return default
        if raw.isascii() and raw.isdigit() and least <= int(raw[:12]) <= most:
            return int(raw)
        self.fault(name, f"must be a whole number of at least {least}")
        return default

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        raw = self.text(name, default) or default
        if raw not in choices:
            self.fault(name, "must be one of: " + ", ".join(choices))
            return default
        return raw

    def switch(self, name: str, default: bool) -> bool:
        words = {
            "true": True,
            "on": True,
            "1": True,
            "yes": True,
            "false": False,
            "off": False,
            "0": False,
            "no": False,
        }
        raw = self.text(name)
        if raw is None:
            return default
        if raw.lower() not in words:
            self.fault(name, "must be true or false (on, off)")
            return default
        return words[raw.lower()]

    def limit(self, name: str, default: str) -> str:
        raw = self.text(name, default) or default
        try:
            parse_limit(raw)
        except ValueError:
            self.fault(name, "must look like 60/hour")
            return default
        return raw


def _read_values(reader: _Reader, root: Path) -> dict[str, Any]:
    production = reader.choice("ENV", "development", ("development", "production")) == "production"
    port = _port(reader)
    public_url = _public_url(reader, f"http://localhost:{port}")
    redis_url = reader.text("REDIS_URL")
    values: dict[str, Any] = {
        "env": "production" if production else "development",
        "secret_key": reader.text("SECRET_KEY") or ("" if production else _development_secret(root)),
        "secret_key_previous": reader.text("SECRET_KEY_PREVIOUS"),
        "database_url": _database_url(reader, root),
        "public_url": public_url,
        "trusted_hosts": _trusted_hosts(reader, public_url),
        "trusted_proxies": reader.whole("TRUSTED_PROXIES", 0, least=0, most=10),
        "smtp": _smtp(reader),
        "mail_from": reader.text("MAIL_FROM", "terristory@localhost"),
        "operator_mail": reader.text("OPERATOR_MAIL", "terristory@localhost"),
        "redis_url": redis_url,
        "web_workers": reader.whole("WEB_WORKERS", (os.cpu_count() or 1) if redis_url else 1, most=512),
        "web_threads": reader.whole("WEB_THREADS", 4, most=256),
        "rate_limits": reader.switch("RATE_LIMITS", True),
        "jwt_algorithm": reader.choice("JWT_ALGORITHM", "HS256", JWT_ALGORITHMS),
        "require_mail_confirmation": reader.switch("REQUIRE_MAIL_CONFIRMATION", True),
        "metrics_token": reader.text("METRICS_TOKEN"),
        "host": reader.environ.get("HOST", "").strip() or "127.0.0.1",
        "port": port,
    }
    for name, default in _LIMITS.items():
        values[name.lower()] = reader.limit(name, default)
    for name, (number, least) in _NUMBERS.items():
        values[name.lower()] = reader.whole(name, number, least=least)
    return values


_LIMITS = {
    "LIMIT_REGISTER": "60/hour",
    "LIMIT_REGENERATE": "20/hour",
    "LIMIT_SIGN_IN": "30/minute",
    "LIMIT_CAPTCHA": "60/minute",
    "LIMIT_REFRESH": "60/minute",
    "LIMIT_ADMIN": "300/minute",
}

# name: (default, least)
_NUMBERS = {
    "ACCESS_TOKEN_SECONDS": (900, 1),
    "JWT_LEEWAY_SECONDS": (10, 0),
    "REFRESH_GRACE_SECONDS": (30, 0),
    "SESSION_IDLE_SECONDS": (14 * 86400, 1),
    "SESSION_MAX_SECONDS": (30 * 86400, 1),
    "TEMPORARY_PASSWORD_SECONDS": (3600, 1),
    "INVITATION_SECONDS": (604800, 1),
    "CONFIRMATION_SECONDS": (604800, 1),
    "CAPTCHA_SECONDS": (600, 1),
    "NO_SCRIPT_WAIT_SECONDS": (20, 1),
    "KEEP_UNCONFIRMED_DAYS": (14, 1),
    "KEEP_REFUSED_DAYS": (90, 1),
    "KEEP_INACTIVE_DAYS": (730, 1),
    "KEEP_AUDIT_DAYS": (365, 1),
    "KEEP_MAIL_DAYS": (30, 1),
    "ACCOUNT_ERASURE_DAYS": (7, 1),
    "PASSWORD_MIN_LENGTH": (12, 8),
    "CAPTCHA_COST": (10000, 1),
    "ARGON2_MEMORY_KIB": (19456, 8),
    "ARGON2_TIME": (2, 1),
}


def _port(reader: _Reader) -> int:
    raw = reader.environ.get("PORT", "").strip() or "8000"
    if raw.isascii() and raw.isdigit() and 0 < int(raw[:6]) < 65536:
        return int(raw)
    reader.faults.append("PORT must be a port number")
    return 8000


def _public_url(reader: _Reader, default: str) -> str:
    raw = (reader.text("PUBLIC_URL", default) or default).rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        reader.fault("PUBLIC_URL", "must look like https://compte.example.fr, without a path")
        return default
    return raw


def _trusted_hosts(reader: _Reader, public_url: str) -> tuple[str, ...]:
    named = reader.text("TRUSTED_HOSTS")
    if named:
        return tuple(host.strip() for host in named.split(",") if host.strip())
    return (urlsplit(public_url).hostname or "localhost",)


def _database_url(reader: _Reader, root: Path) -> str:
    raw = reader.text("DATABASE_URL", "sqlite:///instance/terristory.sqlite") or ""
    if raw.startswith("postgres://"):
        raw = "postgresql://" + raw.removeprefix("postgres://")
    if raw.startswith("postgresql://"):
        return "postgresql+psycopg://" + raw.removeprefix("postgresql://")
    if raw.startswith("postgresql+psycopg://"):
        return raw
    if raw.startswith("sqlite:///") and len(raw) > len("sqlite:///") and ":memory:" not in raw:
        # Flask-SQLAlchemy would count a relative path from the instance folder.
        return f"sqlite:///{root / raw.removeprefix('sqlite:///')}"
    reader.fault("DATABASE_URL", "must start with sqlite:/// (a file) or postgresql+psycopg://")
    return f"sqlite:///{root / 'instance/terristory.sqlite'}"


def _smtp(reader: _Reader) -> SmtpServer | None:
    raw = reader.text("SMTP_URL")
    if raw is None:
        return None
    try:
        parts = urlsplit(raw)
        ports: dict[str, tuple[int, Literal["starttls", "tls", "plain"]]] = {
            "smtp": (587, "starttls"),
            "smtps": (465, "tls"),
            "smtp+plain": (25, "plain"),
        }
        default_port, security = ports[parts.scheme]
        host, port = parts.hostname or "", parts.port or default_port
    except (ValueError, KeyError):
        host, port, security = "", 0, "starttls"
    if not host:
        reader.fault("SMTP_URL", "must look like smtp://user:pass@host:587, smtps://… or smtp+plain://127.0.0.1:25")
        return None
    if security == "plain" and not is_loopback(host):
        reader.fault("SMTP_URL", "may be smtp+plain:// for a relay on loopback only")
        return None
    user = unquote(parts.username) if parts.username else None
    return SmtpServer(host, port, security, user, unquote(parts.password) if parts.password else None)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _development_secret(root: Path) -> str:
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


def generate_secret() -> str:
    """Return a new root secret: 48 random bytes as text."""
    return secrets.token_urlsafe(48)


def is_weak_secret(secret: str) -> bool:
    """Return whether a root secret is shorter than 32 bytes or plainly not random."""
    return len(secret.encode()) < LEAST_SECRET_BYTES or len(set(secret)) < 12


def meets_argon2_floor(memory_kib: int, time_cost: int) -> bool:
    """Return whether parameters reach OWASP's floor for Argon2id with p=1 (Password Storage Cheat Sheet)."""
    least_memory = {1: 47104, 2: 19456}.get(time_cost, 12288)
    return memory_kib >= least_memory


def _refuse_in_production(values: Mapping[str, Any], reader: _Reader) -> None:
    for name in ("SECRET_KEY", "SECRET_KEY_PREVIOUS"):
        secret = values[name.lower()]
        if secret and is_weak_secret(secret):
            reader.fault(name, "is weak: at least 32 random bytes are needed (`flask --app wsgi secret` prints one)")
    if not meets_argon2_floor(values["argon2_memory_kib"], values["argon2_time"]):
        reader.fault("ARGON2_MEMORY_KIB", "and ARGON2_TIME are under OWASP's floor (19456 and 2)")
    if values["web_workers"] > 1 and not values["redis_url"]:
        reader.fault("WEB_WORKERS", "above 1 needs REDIS_URL: request limits are shared there")
    if values["env"] != "production":
        return
    refusals: list[tuple[bool, Callable[[], None]]] = [
        (not values["secret_key"], lambda: reader.fault("SECRET_KEY", "is missing")),
        (_plain_public_url(values["public_url"]), lambda: reader.fault("PUBLIC_URL", "must be https")),
        (reader.text("PUBLIC_URL") is None, lambda: reader.fault("PUBLIC_URL", "is missing")),
        (reader.text("SMTP_URL") is None, lambda: reader.fault("SMTP_URL", "is missing")),
        (reader.text("MAIL_FROM") is None, lambda: reader.fault("MAIL_FROM", "is missing")),
        (reader.text("OPERATOR_MAIL") is None, lambda: reader.fault("OPERATOR_MAIL", "is missing")),
        (not values["rate_limits"], lambda: reader.fault("RATE_LIMITS", "cannot be off")),
        (_debugging(reader.environ), lambda: reader.faults.append("FLASK_DEBUG and FLASK_TESTING cannot be on")),
    ]
    for holds, refuse in refusals:
        if holds:
            refuse()


def _plain_public_url(public_url: str) -> bool:
    parts = urlsplit(public_url)
    return parts.scheme != "https" and not is_loopback(parts.hostname or "")


def _debugging(environ: Mapping[str, str]) -> bool:
    off = ("", "0", "false", "no", "off")
    names = ("FLASK_DEBUG", "FLASK_TESTING", PREFIX + "DEBUG", PREFIX + "TESTING")
    return any(environ.get(name, "").strip().lower() not in off for name in names)


def digest_of(secret: str) -> str:
    """Return the SHA-256 (hex) under which a high-entropy secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
