"""Every way in is known, and says who may use it."""

import pytest
from flask import Flask

from terristory.app import create_app
from terristory.settings import PROJECT_ROOT, read_settings
from terristory.web.access import Access
from tests.support.environment import service_environment

LIST = PROJECT_ROOT / "tests" / "architecture" / "routes.txt"


@pytest.fixture(scope="module")
def development(tmp_path_factory) -> Flask:
    folder = tmp_path_factory.mktemp("routes")
    return create_app(read_settings(service_environment(DATABASE_URL=f"sqlite:///{folder / 'none.sqlite'}")))


@pytest.fixture(scope="module")
def production(tmp_path_factory) -> Flask:
    folder = tmp_path_factory.mktemp("routes")
    return create_app(
        read_settings(
            service_environment(
                ENV="production",
                DATABASE_URL=f"sqlite:///{folder / 'none.sqlite'}",
                PUBLIC_URL="https://compte.exemple.fr",
                SMTP_URL="smtp+plain://127.0.0.1:2525",
                MAIL_FROM="terristory@exemple.fr",
                OPERATOR_MAIL="exploitation@exemple.fr",
            )
        )
    )


def access_of(app: Flask, endpoint: str) -> str:
    return str(getattr(app.view_functions[endpoint], "access", ""))


def routes_of(app: Flask) -> list[str]:
    return sorted(
        f"{rule.rule} {','.join(sorted(rule.methods - {'HEAD', 'OPTIONS'}))} {access_of(app, rule.endpoint)}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
    )


def test_every_route_declares_its_access(development):
    undeclared = {
        rule.rule
        for rule in development.url_map.iter_rules()
        if rule.endpoint != "static" and access_of(development, rule.endpoint) not in set(Access)
    }
    assert undeclared == set()


def test_the_routes_are_those_of_the_list(development):
    """A new route is written into routes.txt by hand: somebody has looked at who may use it."""
    assert routes_of(development) == LIST.read_text().splitlines()


def test_what_is_for_development_is_absent_in_production(development, production):
    kept_back = {route.split()[0] for route in routes_of(development) if route.endswith(f" {Access.DEVELOPMENT}")}
    assert kept_back
    assert kept_back & {route.split()[0] for route in routes_of(production)} == set()


def test_what_is_for_an_administrator_lies_under_admin(development):
    """One look at a path says who may use it, and the access log can be read that way."""
    for route in routes_of(development):
        path, _, access = route.split(" ")
        assert ("/admin/" in path) == (access == Access.ADMIN), route


def test_no_route_of_the_api_takes_a_secret_in_its_path(development):
    """Paths are logged (ASVS 14.2.1): tokens travel in bodies, headers and cookies."""
    api = [route for route in routes_of(development) if route.startswith("/api/")]
    assert api
    assert [route for route in api if "token" in route or "password>" in route] == []
