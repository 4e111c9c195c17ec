"""Fixtures shared by all tests: settings, two real databases, the app, a client that judges, a clock that stands."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import time_machine
from flask import Flask
from playwright.sync_api import Browser, BrowserContext

from terristory.settings import Settings, read_settings
from tests.support import network
from tests.support.chromium import running_chromium
from tests.support.client import CheckedClient
from tests.support.clock import START, Clock
from tests.support.environment import service_environment
from tests.support.postgres import Postgres, running_postgres
from tests.support.redis import RedisServer, running_redis
from tests.support.server import Server, running_server
from tests.support.smtp import MailServer, running_mail_server

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def pytest_configure() -> None:
    """From the first import on, nothing but this machine can be reached."""
    network.forbid_outside_network()
    hypothesis.settings.register_profile(
        "suite",
        # Two cores are shared by many processes: a slow example is no failure.
        deadline=None,
        max_examples=int(os.environ.get("FUZZ_EXAMPLES", "40")),
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Fail a test that tried to reach another machine, even when the code under test swallowed the refusal."""
    network.attempts.clear()
    yield
    assert not network.attempts, f"reached for another machine: {network.attempts}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """This worker's PostgreSQL cluster. Tests of faults take `own_postgres` instead: this one is shared."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster of the test's own, to stop, kill and silence."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def _databases(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Any]]:
    """Give the worker's database of a backend, migrated at its first use."""
    from tests.support.databases import PostgresDatabase, SqliteDatabase

    made: dict[str, Any] = {}

    def database_of(backend: str) -> Any:
        if backend not in made:
            if backend == "sqlite":
                made[backend] = SqliteDatabase(tmp_path_factory.mktemp("sqlite"))
            else:
                made[backend] = PostgresDatabase(request.getfixturevalue("postgres_server"))
        return made[backend]

    yield database_of
    if "postgresql" in made:
        made["postgresql"].close()


@pytest.fixture(scope="session")
def _apps() -> Iterator[dict[str, Flask]]:
    """The worker's apps by backend; a test that makes its own app empties it (extensions are shared by all apps)."""
    from tests.support.databases import dispose

    apps: dict[str, Flask] = {}
    yield apps
    for app in apps.values():
        dispose(app)


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, _databases: Callable[[str], Any], _apps: dict[str, Flask]) -> Any:
    """A migrated database with all regions open, and nobody in it: SQLite, then PostgreSQL.

    `.name` is the backend, `.url` its address. For one backend only:
    `@pytest.mark.parametrize("database", ["sqlite"], indirect=True)`.
    """
    from tests.support.databases import dispose

    database = _databases(request.param)
    for app in _apps.values():
        dispose(app)
    database.renew()
    return database


@pytest.fixture
def settings(database: Any) -> Settings:
    """The settings of `app`: cheap values, the database of the test."""
    return read_settings(service_environment(DATABASE_URL=database.url))


def _build(settings: Settings) -> Flask:
    from terristory.app import create_app
    from terristory.passwords.hashing import configure_hashing
    from terristory.web import even_time

    app = create_app(settings)
    # Settings never go under OWASP's floor, whose cost would be most of the suite's time; this leaves the tests of
    # passwords/ to use true parameters.
    configure_hashing(memory_kib=64, time_cost=1, threads=4, waiters=64)
    # Nor does a test wait for its answer to be late enough, but for the one that measures.
    even_time.LEAST_SECONDS = 0
    app.testing = True
    app.test_client_class = CheckedClient
    return app


@pytest.fixture
def app(database: Any, settings: Settings, _apps: dict[str, Flask]) -> Iterator[Flask]:
    """The app on the test's database, within its context: acts can be called as they are."""
    from terristory.extensions import db, limiter

    app = _apps.get(database.name)
    if app is None:
        app = _apps[database.name] = _build(settings)
    with app.app_context():
        limiter.reset()
        yield app
        db.session.remove()


@pytest.fixture
def make_app(database: Any, _apps: dict[str, Flask]) -> Iterator[Callable[..., Flask]]:
    """Build an app with other settings on the test's database: `make_app(ACCESS_TOKEN_SECONDS=1)`."""
    from tests.support.databases import dispose

    made: list[Flask] = []

    def make(**settings: str | int | bool) -> Flask:
        environ = service_environment(**{"DATABASE_URL": database.url, **settings})
        made.append(_build(read_settings(environ)))
        return made[-1]

    yield make
    for app in (*made, *_apps.values()):
        dispose(app)
    # The extensions (request limits above all) follow the app that was made last: the next test begins with a new one.
    _apps.clear()


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A browser or API client; every answer it gets is judged."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Time stands still; `.now()` reads it and `.move(seconds=31)` moves it, for every library of this process."""
    with time_machine.travel(START, tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A plain SMTP server on loopback; others: `with running_mail_server("starttls", login=…)`."""
    with running_mail_server() as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server of the test's own."""
    with running_redis(tmp_path) as server:
        yield server


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start the whole service as a process: `make_server(DATABASE_URL=database.url, RATE_LIMITS=False)`.

    Without DATABASE_URL it has an SQLite file of its own.
    """
    from contextlib import ExitStack

    with ExitStack() as running:

        def make(**settings: str | int | bool) -> Server:
            environ = service_environment(**{"DATABASE_URL": f"sqlite:///{tmp_path / 'served.sqlite'}", **settings})
            return running.enter_context(running_server(tmp_path, environ))

        yield make


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """This worker's Chromium."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def browser_context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser window nobody has used yet, in French; `browser_context.new_page()`."""
    context = chromium.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    yield context
    context.close()
