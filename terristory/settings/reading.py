"""Settings: read once from the environment (and an optional `.env`), checked together."""

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values

from terristory.settings.reader import Reader, SettingsError
from terristory.settings.refusals import is_loopback, refuse_unsafe
from terristory.settings.root_secret import development_secret
from terristory.settings.values import Settings, SmtpServer

PROJECT_ROOT = Path(__file__).resolve().parents[2]
JWT_ALGORITHMS = ("HS256", "EdDSA", "ES256")


def environment() -> dict[str, str]:
    """Return the process's environment on top of the project's optional `.env` file."""
    from_file = {name: value for name, value in dotenv_values(PROJECT_ROOT / ".env").items() if value is not None}
    return {**from_file, **os.environ}


def read_settings(environ: Mapping[str, str], *, root: Path = PROJECT_ROOT) -> Settings:
    """Build the settings from a mapping of environment variables.

    Raises SettingsError listing every fault at once, each by the name of its setting and never by its value.
    """
    reader = Reader(environ)
    values = _read_values(reader, root)
    refuse_unsafe(values, reader)
    if reader.faults:
        raise SettingsError(reader.faults)
    return Settings(**{item.name: values[item.name] for item in fields(Settings)})


def _read_values(reader: Reader, root: Path) -> dict[str, Any]:
    production = reader.choice("ENV", "development", ("development", "production")) == "production"
    port = _port(reader)
    public_url = _public_url(reader, f"http://localhost:{port}")
    redis_url = reader.text("REDIS_URL")
    values: dict[str, Any] = {
        "env": "production" if production else "development",
        "secret_key": reader.text("SECRET_KEY") or ("" if production else development_secret(root)),
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


def _port(reader: Reader) -> int:
    raw = reader.environ.get("PORT", "").strip() or "8000"
    if raw.isascii() and raw.isdigit() and 0 < int(raw[:6]) < 65536:
        return int(raw)
    reader.faults.append("PORT must be a port number")
    return 8000


def _public_url(reader: Reader, default: str) -> str:
    raw = (reader.text("PUBLIC_URL", default) or default).rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment:
        reader.fault("PUBLIC_URL", "must look like https://compte.example.fr, without a path")
        return default
    return raw


def _trusted_hosts(reader: Reader, public_url: str) -> tuple[str, ...]:
    named = reader.text("TRUSTED_HOSTS")
    if named:
        return tuple(host.strip() for host in named.split(",") if host.strip())
    return (urlsplit(public_url).hostname or "localhost",)


def _database_url(reader: Reader, root: Path) -> str:
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


def _smtp(reader: Reader) -> SmtpServer | None:
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
