"""What the pages promise to the outside, said sentence by sentence."""

import html
import io
import re

import pytest

from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.user.models import Role
from tests.support.environment import PASSWORD
from tests.support.people import an_account

MAIL = "jeanne@exemple.fr"
NEW = "encore une riviere claire 88"
SIGN_IN = "/bretagne/connexion"
CHOOSE = "/bretagne/mot-de-passe"
LIST = "/bretagne/admin/comptes"
# The pages ask both databases the same; the contract is about what they answer.
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def text_of(answer):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def title_of(answer):
    return html.unescape(re.search(r"<title>(.*?)</title>", answer.get_data(as_text=True), re.DOTALL).group(1))


def token_of(client, path):
    page = client.get(path).get_data(as_text=True)
    return html.unescape(re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page).group(1))


def send(client, path, **form):
    return client.post(path, data={"csrf_token": token_of(client, path), **form})


def sign_in(client, password=PASSWORD, path=SIGN_IN):
    answer = send(client, path, login=MAIL, password=password)
    assert answer.status_code == 303, text_of(answer)
    return answer


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
@pytest.mark.parametrize("path", ["/bretagne", "/nulle-part", "/bretagne?lang=en"])
def test_a_missing_last_slash_leads_to_a_path_and_to_no_host(client, path, host):
    answer = client.get(path, base_url=f"http://{host}")
    assert answer.status_code == 308
    name, mark, query = path.partition("?")
    assert answer.headers["Location"] == f"{name}/{mark}{query}"


def test_after_a_forced_change_the_visitor_goes_on_to_the_page_first_asked_for(client):
    user_id = an_account(MAIL)
    with transaction():
        temporary = issue_temporary_password(user_id, life_seconds=3600, now=utc_now()).password
    wanted = client.get("/bretagne/compte/sessions").headers["Location"]
    choose = sign_in(client, temporary, path=wanted).headers["Location"]
    answer = send(client, choose, new_password=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/bretagne/compte/sessions")
    assert client.get("/bretagne/compte/sessions").status_code == 200


def test_after_a_change_of_password_no_query_leads_elsewhere(client):
    an_account(MAIL)
    sign_in(client)
    answer = send(client, f"{CHOOSE}?next=//evil.example", password=PASSWORD, new_password=NEW)
    assert answer.headers["Location"] == "/bretagne/compte"


def test_who_is_signed_out_comes_back_to_a_page_and_never_to_an_address_that_only_takes_forms(client):
    token = token_of(client, SIGN_IN)
    page = client.post("/bretagne/compte/profil", data={"csrf_token": token})
    assert page.headers["Location"] == "/bretagne/connexion?next=/bretagne/compte/profil"
    form_only = client.post("/bretagne/compte/donnees/fichier", data={"csrf_token": token})
    assert form_only.headers["Location"] == "/bretagne/connexion"


def test_a_query_that_cannot_be_read_is_not_called_our_fault(client):
    an_account(MAIL, role=Role.ADMIN)
    sign_in(client)
    answer = client.get(f"{LIST}?status=nope")
    assert answer.status_code == 422
    assert title_of(answer).startswith("Erreur : Demande incomprise")
    assert "Elle vient de nous" not in text_of(answer)


def test_deciding_on_nobody_shows_the_list_again_in_error(client):
    an_account(MAIL, role=Role.ADMIN)
    sign_in(client)
    token = token_of(client, LIST)
    answer = client.post(f"{LIST}/decisions", data={"csrf_token": token, "action": "activate"})
    assert answer.status_code == 422
    assert title_of(answer).startswith("Erreur : Demandes à examiner (0)")
    assert "Cochez au moins un compte, puis choisissez une décision." in text_of(answer)


def test_a_change_of_language_is_said_in_the_new_one(client):
    an_account(MAIL)
    sign_in(client)
    profile = {"prenom": "Jeanne", "nom": "Martin", "organisation": "Brest", "langue": "en", "confirmation": "y"}
    answer = send(client, "/bretagne/compte/profil", **profile)
    page = client.get(answer.headers["Location"])
    assert "Your profile has been saved." in text_of(page)
    assert '<html lang="en"' in page.get_data(as_text=True)


def test_signing_out_is_said_in_the_language_of_the_page_that_says_it(client):
    an_account(MAIL, langue="en")
    sign_in(client)
    token = token_of(client, "/bretagne/compte")
    client.post("/bretagne/deconnexion", data={"csrf_token": token})
    page = client.get("/bretagne/")
    assert '<html lang="fr"' in page.get_data(as_text=True)
    assert "Vous êtes déconnecté." in text_of(page)


def test_in_development_a_public_url_of_https_does_not_take_the_pages_away(make_app):
    app = make_app(PUBLIC_URL="https://compte.exemple.fr")
    with app.app_context():
        an_account(MAIL)
        client = app.test_client()
        assert sign_in(client).headers["Location"] == "/bretagne/"
        assert client.get("/bretagne/compte").status_code == 200


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("en-GB,fr;q=0.5", "en"),
        ("fr-CA,en;q=0.9", "fr"),
        ("de,en-US;q=0.8,fr;q=0.1", "en"),
        ("en;q=0,fr", "fr"),
        ("de", "fr"),
        ("*", "fr"),
        ("", "fr"),
    ],
)
def test_the_browsers_first_language_of_ours_is_spoken_whatever_its_country(client, accepted, spoken):
    page = client.get("/bretagne/", headers={"Accept-Language": accepted}).get_data(as_text=True)
    assert f'<html lang="{spoken}"' in page


@pytest.mark.parametrize("path", ["/bretagne/inscription", "/api/bretagne/auth"])
def test_a_body_that_is_too_large_is_read_to_its_end_so_that_the_connection_lives_on(client, path):
    size = 300_000
    body = io.BytesIO(b"x" * size)
    kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
    answer = client.post(path, input_stream=body, content_length=size, content_type=kind)
    assert answer.status_code == 413
    assert body.tell() == size
