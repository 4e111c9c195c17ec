"""What the service refuses to be served with, in production above all."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from terristory.settings.reader import PREFIX, Reader
from terristory.settings.root_secret import is_weak_secret


def refuse_unsafe(values: Mapping[str, Any], reader: Reader) -> None:
    """Add to the reader's faults every value that is not safe to serve with."""
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


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def meets_argon2_floor(memory_kib: int, time_cost: int) -> bool:
    """Return whether parameters reach OWASP's floor for Argon2id with p=1 (Password Storage Cheat Sheet)."""
    least_memory = {1: 47104, 2: 19456}.get(time_cost, 12288)
    return memory_kib >= least_memory
