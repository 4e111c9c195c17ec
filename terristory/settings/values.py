"""What the service can be told, read and checked: plain values, frozen."""

from dataclasses import dataclass, field
from typing import Literal

from terristory.settings.root_secret import derive_key


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
