"""The app factory: the only place that knows every feature."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, g, request, url_for
from sqlalchemy.engine import make_url
from werkzeug.middleware.proxy_fix import ProxyFix

import terristory.account.api
import terristory.account.pages
import terristory.admin.api
import terristory.admin.cli
import terristory.admin.pages
import terristory.api.openapi
import terristory.audit.cli
import terristory.audit.models
import terristory.auth.api
import terristory.auth.models
import terristory.auth.pages
import terristory.captcha.api
import terristory.captcha.models
import terristory.mail_outbox.cli
import terristory.mail_outbox.models
import terristory.mail_outbox.pages
import terristory.operations.api
import terristory.operations.cli
import terristory.password_change.api
import terristory.password_change.pages
import terristory.regions.api
import terristory.regions.models
import terristory.regions.pages
import terristory.user.api
import terristory.user.models
import terristory.user.pages
from terristory.api.json_body import install_strict_json
from terristory.api.last_resort import install_error_handlers
from terristory.auth.captcha_work import work_level
from terristory.auth.cookies import install_cookie_names
from terristory.auth.devices import device_words
from terristory.auth.guards import current_person, install_session_renewal, install_token_keys
from terristory.captcha.api import let_work_grow
from terristory.captcha.challenge import use_captcha_keys
from terristory.captcha.ticket import use_ticket_keys
from terristory.database import engine_options
from terristory.extensions import babel, csrf, db, jwt, limiter, mail, migrate
from terristory.i18n import LANGUAGE_COOKIE, LANGUAGES, choose_locale, choose_time_zone, install_texts, language
from terristory.mail_outbox.sealing import use_sealing_keys
from terristory.operations.metrics import install_request_metrics
from terristory.passwords.hashing import configure_hashing
from terristory.regions.guards import install_region_loading
from terristory.settings import PROJECT_ROOT, Settings
from terristory.user.lookup import count_by_status
from terristory.user.models import Role, Status
from terristory.user.signed_links import use_link_keys
from terristory.web.kept_parts import install_kept_parts
from terristory.web.livez import livez
from terristory.web.plain_flask import PlainFlask
from terristory.web.request_log import install_request_log
from terristory.web.security_headers import install_security_headers
from terristory.web.static_files import install_static_files
from terristory.web.unread_bodies import install_unread_bodies

PAGES = (
    terristory.regions.pages.pages,
    terristory.user.pages.pages,
    terristory.auth.pages.pages,
    terristory.password_change.pages.pages,
    terristory.account.pages.pages,
    terristory.admin.pages.pages,
)
ENDPOINTS = (
    terristory.regions.api.api,
    terristory.captcha.api.api,
    terristory.user.api.api,
    terristory.auth.api.api,
    terristory.auth.api.well_known,
    terristory.password_change.api.api,
    terristory.account.api.api,
    terristory.admin.api.api,
    terristory.operations.api.api,
    terristory.api.openapi.api,
    livez,
)
COMMANDS = (
    terristory.admin.cli.add_commands,
    terristory.audit.cli.add_commands,
    terristory.mail_outbox.cli.add_commands,
    terristory.operations.cli.add_commands,
)


MOST_HASHING_WAITERS = 4


def create_app(settings: Settings) -> Flask:
    """Build the service from its settings. Touches neither the database nor the network."""
    app = PlainFlask(
        "terristory",
        root_path=str(PROJECT_ROOT / "terristory"),
        template_folder=str(PROJECT_ROOT / "templates"),
        static_folder=str(PROJECT_ROOT / "static"),
        instance_path=str(PROJECT_ROOT / "instance"),
    )
    configure(app, settings)
    bind_extensions(app, settings)
    install_request_log(app, settings)
    install_request_metrics(app)
    install_strict_json(app)
    install_region_loading(app)
    install_static_files(app)
    install_kept_parts(app)
    install_error_handlers(app)
    install_token_keys(app, settings)
    install_cookie_names(app, settings)
    install_session_renewal(app)
    # After it: a form whose token no longer counts is shown again to a visitor who is known.
    csrf.init_app(app)
    install_unread_bodies(app)
    install_security_headers(app, hsts=settings.production)
    install_page_context(app)
    mount_features(app, settings)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Turn the settings into Flask's and its extensions' configuration."""
    secure = settings.secure_cookies
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.key("flask-session"),
        SECRET_KEY_FALLBACKS=settings.keys("flask-session")[1:],
        SESSION_COOKIE_NAME="__Host-session" if secure else "session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=64 * 1024,
        MAX_FORM_MEMORY_SIZE=64 * 1024,
        MAX_FORM_PARTS=60,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database_url, settings.web_threads),
        # A list, oldest first, as itsdangerous wants it: a form opened before the root secret was changed still counts.
        WTF_CSRF_SECRET_KEY=list(reversed(settings.keys("form-csrf"))),
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS=_redis_timeouts(settings),
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(settings.redis_url),
        RATELIMIT_KEY_PREFIX="terristory",
        BABEL_DEFAULT_LOCALE="fr",
        BABEL_TRANSLATION_DIRECTORIES=str(PROJECT_ROOT / "terristory" / "translations"),
        MAIL_DEFAULT_SENDER=settings.mail_from,
    )
    if settings.production:
        app.config["TRUSTED_HOSTS"] = [_as_trusted(host) for host in settings.trusted_hosts]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=hops)  # type: ignore[method-assign]
    threads = hashing_threads(settings.web_workers)
    waiters = hashing_waiters(settings.web_threads, threads)
    configure_hashing(
        settings.argon2_memory_kib,
        settings.argon2_time,
        threads=threads,
        waiters=waiters,
        burst=max(0, settings.web_threads - threads - waiters),
    )
    use_sealing_keys(settings.keys("mail-sealing"))
    use_link_keys(settings.keys("signed-links"))
    use_captcha_keys(settings.keys("altcha-sign"), settings.keys("altcha-key"))
    use_ticket_keys(settings.keys("captcha-ticket"))
    let_work_grow("authenticate", work_level)


def hashing_threads(workers: int) -> int:
    """Return how many passwords one process may hash at once: the cores, shared among the processes."""
    return max(1, (os.cpu_count() or 1) // workers)


def hashing_waiters(web_threads: int, hashing_threads: int) -> int:
    """Return how many more may wait to hash: one thread of the server always stays free for everybody else."""
    return max(0, min(MOST_HASHING_WAITERS, web_threads - hashing_threads - 1))


def _redis_timeouts(settings: Settings) -> dict[str, Any]:
    return {"socket_connect_timeout": 0.5, "socket_timeout": 0.5} if settings.redis_url else {}


def _as_trusted(host: str) -> str:
    return urlsplit(f"//{host}").hostname or host


def bind_extensions(app: Flask, settings: Settings) -> None:
    """Bind the extensions to `app`."""
    database_file = make_url(settings.database_url).database
    if settings.database_url.startswith("sqlite") and database_file:
        Path(database_file).parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(PROJECT_ROOT / "migrations"))
    mail.init_app(app)
    limiter.init_app(app)
    jwt.init_app(app)
    babel.init_app(app, locale_selector=choose_locale, timezone_selector=choose_time_zone)
    install_texts(app)
    app.jinja_env.filters["device_words"] = device_words


def install_page_context(app: Flask) -> None:
    """Give every page its language, region, person and count of requests waiting."""

    @app.context_processor
    def page_context() -> dict[str, Any]:
        person = None if g.get("database_down") else current_person()
        here = language()
        other = next(name for name in LANGUAGES if name != here)
        return {
            "langue": here,
            "other_langue": other,
            "switch_language_url": _this_page_in(other),
            "region": g.get("region"),
            "current_user": person,
            "awaiting_count": _awaiting_count(person),
        }

    @app.after_request
    def remember_language(response: Any) -> Any:
        wish = None if request.path.startswith("/api/") else request.args.get("lang")
        if wish in LANGUAGES:
            secure = app.config["SESSION_COOKIE_SECURE"]
            response.set_cookie(LANGUAGE_COOKIE, wish, max_age=31536000, samesite="Lax", secure=secure, httponly=True)
        return response


def _this_page_in(langue: str) -> str:
    rule = request.url_rule
    if rule is None or "GET" not in (rule.methods or ()):
        return f"?lang={langue}"
    kept = {name: value for name, value in request.args.items() if name != "lang"}
    # The visitor's own names never reach url_for: `?endpoint=`, `?_scheme=` and their like would be its arguments.
    return f"{url_for(rule.endpoint, **(request.view_args or {}))}?{urlencode({**kept, 'lang': langue})}"


def _awaiting_count(person: Any) -> int | None:
    region = g.get("region")
    if person is None or region is None or person.role != Role.ADMIN or person.region != region.key:
        return None
    return count_by_status(region.key)[Status.AWAITING]


def mount_features(app: Flask, settings: Settings) -> None:
    """Mount every door: pages, JSON endpoints (no form token there: the guards of `auth` see to it), commands."""
    for endpoints in ENDPOINTS:
        csrf.exempt(endpoints)
        app.register_blueprint(endpoints)
    for pages in PAGES:
        app.register_blueprint(pages)
    if not settings.production:
        app.register_blueprint(terristory.mail_outbox.pages.pages)
    for add_commands in COMMANDS:
        add_commands(app)
