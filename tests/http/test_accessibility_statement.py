"""The accessibility statement: what the law wants said, and of the tests only what their file holds."""

import re
from importlib.metadata import version
from importlib.resources import files

import pytest

import terristory.regions.pages
from terristory.regions.accessibility import Criterion, Results, latest_tests
from tests.support.accessibility import ERROR_PAGES, ROUTES, plain
from tests.support.client import CheckedClient

# Answers of GET that are no page for people.
NO_PAGE = ("/api/", "/dev/", "/static/", "/.well-known/", "/favicon.ico", "/livez", "/readyz", "/metrics")


def statement(client: CheckedClient) -> str:
    return re.sub(r"<[^>]+>", "", client.get("/accessibilite").get_data(as_text=True)).replace("&#39;", "'")


def test_every_page_of_the_site_was_tested() -> None:
    routes = [line.split() for line in ROUTES.read_text().splitlines()]
    pages = {plain(path) for path, methods, _access in routes if "GET" in methods and not path.startswith(NO_PAGE)}
    everything = {plain(path) for path, _methods, _access in routes}
    assert {*pages, ERROR_PAGES} <= set(latest_tests().pages) <= {*everything, ERROR_PAGES}, "run `make accessibility`"


def test_the_tool_of_the_statement_is_the_tool_of_the_tests() -> None:
    """A newer axe looks at more: `make accessibility` renews the statement."""
    source = next(path for path in files("axe_playwright_python").rglob("axe.min.js"))  # type: ignore[attr-defined]
    found = re.search(r"axe v(\d+\.\d+\.\d+)", source.read_text()[:500])
    assert found and latest_tests().axe == found.group(1), version("axe-playwright-python")


def test_without_an_audit_the_site_says_that_it_is_not_compliant(client: CheckedClient) -> None:
    page = statement(client)
    assert "non conforme au référentiel général d'amélioration de l'accessibilité (RGAA), version 4.1" in page
    assert "aucun résultat d'audit en cours de validité" in page
    assert not re.search(r"\d ?%", page)
    assert "Défenseur des droits, Libre réponse 71120" in page


def test_it_prints_the_tests_of_its_file(client: CheckedClient) -> None:
    page, tests = statement(client), latest_tests()
    assert str(tests.on.year) in page and tests.chromium in page and f"axe-core {tests.axe}" in page
    assert f"ont ouvert {len(tests.pages)} sortes de pages dans {tests.states} états" in page
    assert f"{len(tests.criteria)} des 106 critères" in page
    assert all(kind.replace("<", "&lt;").replace(">", "&gt;") in page for kind in tests.pages)


def test_it_names_what_the_tests_found_wrong(client: CheckedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    known = latest_tests()
    broken = Criterion("3.2", looked_at=60, violations=2, undecided=0)
    worse = Results(known.on, known.axe, known.chromium, known.states, known.pages, (broken,))
    monkeypatch.setattr(terristory.regions.pages, "latest_tests", lambda: worse)
    page = statement(client)
    assert "critère 3.2 : 2 défauts" in page and "aucun défaut" not in page


def test_it_gives_the_contact_of_each_open_region(client: CheckedClient) -> None:
    from terristory.database import transaction
    from terristory.regions.lookup import find_region

    assert "sur sa page « Données personnelles »" in statement(client)
    with transaction():
        find_region("corse").contact = "contact@corse.example"  # type: ignore[union-attr]
    page = client.get("/accessibilite").get_data(as_text=True)
    assert 'href="mailto:contact@corse.example"' in page
