"""The regions' pages and their JSON twin."""

import pytest
from sqlalchemy import select

from terristory.database import transaction
from terristory.extensions import db
from terristory.regions.lookup import find_region
from terristory.regions.models import Region
from tests.support.client import CheckedClient


def open_only(*keys: str) -> None:
    """Leave these regions open and close the others."""
    with transaction():
        for region in db.session.scalars(select(Region)):
            region.is_open = region.key in keys


def test_the_start_page_lists_the_open_regions(client: CheckedClient) -> None:
    open_only("bretagne", "corse")
    page = client.get("/").get_data(as_text=True)
    assert 'href="/bretagne/"' in page and 'href="/corse/"' in page
    assert 'href="/normandie/"' not in page


def test_the_start_page_leads_straight_to_the_only_open_region(client: CheckedClient) -> None:
    open_only("corse")
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/corse/"


def test_the_start_page_says_when_no_region_is_open(client: CheckedClient) -> None:
    open_only()
    answer = client.get("/")
    assert answer.status_code == 200
    assert "est encore ouverte" in answer.get_data(as_text=True)


def test_the_region_last_signed_in_to_comes_first(client: CheckedClient) -> None:
    with client.session_transaction() as session:
        session["last_region"] = "normandie"
    page = client.get("/").get_data(as_text=True)
    assert page.index('href="/normandie/"') < page.index('href="/auvergne-rhone-alpes/"')


def test_a_region_offers_its_two_ways_in(client: CheckedClient) -> None:
    page = client.get("/bretagne/").get_data(as_text=True)
    assert "Se connecter" in page and 'href="/bretagne/connexion"' in page
    assert "Demander un compte" in page and 'href="/bretagne/inscription"' in page


@pytest.mark.parametrize("path", ["/bretagne/", "/bretagne/mentions-legales", "/bretagne/donnees-personnelles"])
def test_a_closed_region_does_not_exist(client: CheckedClient, path: str) -> None:
    open_only("corse")
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("key", ["atlantide", "bretagne%00", "..", "%2e%2e", "a" * 300])
def test_no_other_name_is_a_region(client: CheckedClient, key: str) -> None:
    assert client.get(f"/{key}/").status_code == 404
    assert client.get(f"/api/{key}/captcha?form=create_user").status_code == 404


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/bretagne/",
        "/bretagne/mentions-legales",
        "/bretagne/donnees-personnelles",
        "/accessibilite",
        "/aide",
        "/aide/demander-un-compte",
        "/aide/administrer-sa-region",
    ],
)
def test_each_public_page_shows_in_both_languages(client: CheckedClient, path: str, language: str) -> None:
    answer = client.get(path, query_string={"lang": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.get_data(as_text=True)


def test_an_unknown_guide_is_a_404(client: CheckedClient) -> None:
    assert client.get("/aide/cuisiner").status_code == 404


def test_the_legal_notice_prints_what_the_region_said_of_itself_literally(client: CheckedClient) -> None:
    with transaction():
        region = find_region("bretagne")
        region.organisme, region.hebergeur = "Région <b>Bretagne</b>", "OVH, Roubaix"
    page = client.get("/bretagne/mentions-legales").get_data(as_text=True)
    assert "Région &lt;b&gt;Bretagne&lt;/b&gt;" in page and "OVH, Roubaix" in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_privacy_page_prints_the_retention_in_force(make_app: object) -> None:
    app = make_app(KEEP_REFUSED_DAYS=41, KEEP_AUDIT_DAYS=123)  # type: ignore[operator]
    page = app.test_client().get("/bretagne/donnees-personnelles").get_data(as_text=True)
    assert "41 jours" in page and "123 jours" in page


def test_the_api_lists_the_open_regions_by_name(client: CheckedClient) -> None:
    open_only("corse", "bretagne")
    with transaction():
        find_region("corse").contact = "contact@corse.example"
    assert client.get("/api/regions").get_json() == {
        "regions": [
            {"key": "bretagne", "nom": "Bretagne", "contact": ""},
            {"key": "corse", "nom": "Corse", "contact": "contact@corse.example"},
        ]
    }
