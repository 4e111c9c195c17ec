"""Asking for an account, on the page and over JSON: one answer whatever is known of the address."""

import re

import pytest

from terristory.extensions import db
from terristory.user.lookup import find_by_mail
from terristory.user.models import Status
from tests.support.captcha import solved_captcha
from tests.support.people import an_account
from tests.support.requests_for_accounts import ANSWERS, MAIL, csrf_in, json_answers, outbox, templates

API = "/api/bretagne/user"
PAGE = "/bretagne/inscription"


def send_page(client, **changes):
    token = csrf_in(client.get(PAGE))
    captcha = solved_captcha(client, "bretagne", "create_user")
    return client.post(
        PAGE, data={**ANSWERS, "information_lue": "y", "captcha": captcha, "csrf_token": token, **changes}
    )


def test_a_request_over_json_answers_the_login_as_typed(client):
    answer = client.post(API, json=json_answers(client))
    assert (answer.status_code, answer.get_json()) == (201, {"login": MAIL, "active": False})
    assert templates() == ["user/confirm"]


@pytest.mark.parametrize("status", [*Status, None])
def test_the_answer_does_not_tell_the_state_of_the_address(client, status):
    if status is not None:
        an_account(MAIL, status=status)
    answer = client.post(API, json=json_answers(client))
    assert (answer.status_code, answer.get_json()) == (201, {"login": MAIL, "active": False})


@pytest.mark.parametrize("status", [*Status, None])
def test_the_page_does_not_tell_the_state_of_the_address(client, status):
    if status is not None:
        an_account(MAIL, status=status)
    answer = send_page(client)
    assert (answer.status_code, answer.location) == (303, "/bretagne/inscription/envoyee")
    page = client.get(answer.location).get_data(as_text=True)
    assert "<h1>Consultez votre messagerie</h1>" in page
    assert f"Nous avons envoyé un message à {MAIL}." in page
    assert "/demande/" not in page


@pytest.mark.parametrize("field", ["prenom", "nom", "mail", "organisation", "captcha"])
def test_a_missing_field_is_named(client, field):
    body = json_answers(client)
    del body[field]
    answer = client.post(API, json=body)
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])


@pytest.mark.parametrize("said", [False, None])
def test_the_information_must_have_been_read(client, said):
    answer = client.post(API, json=json_answers(client, information_lue=said))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["information_lue"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "admin"),
        ("status", "active"),
        ("active", True),
        ("region", "occitanie"),
        ("password", "girafe violon"),
        ("information_lue", "true"),
        ("prenom", 12),
        ("langue", "de"),
        ("motif", "x" * 1001),
        ("organisation", "a\0b"),
        ("organisation", "a\u202eb"),
    ],
)
def test_what_nobody_may_say_is_refused_and_nothing_is_stored(client, field, value):
    answer = client.post(API, json=json_answers(client, **{field: value}))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])
    assert find_by_mail("bretagne", MAIL.lower()) is None


@pytest.mark.parametrize("name", ["O'Brien", "Nguyễn", "Le Goff-Ÿ", "Mª", "Jr.", "李", "D’Arc", "שרה"])
def test_names_of_any_script_are_taken(client, name):
    assert client.post(API, json=json_answers(client, nom=name)).status_code == 201


@pytest.mark.parametrize("name", ["R2D2", "<b>", "a@b", "x" * 101, "'-.", "http://evil.fr", "a\u200bb", "😀"])
def test_what_is_no_name_is_refused(client, name):
    answer = client.post(API, json=json_answers(client, nom=name))
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, ["nom"])


@pytest.mark.parametrize("mail", ["jeanne", "a@b@c.fr", "jé@test.fr", "a@b.fr, c@d.fr", "a@[127.0.0.1]", "@b.fr"])
def test_what_is_no_address_is_refused_with_an_example(client, mail):
    answer = client.post(API, json=json_answers(client, mail=mail))
    assert answer.status_code == 422
    assert "prenom.nom@communaute.fr" in answer.get_json()["errors"]["mail"][0]


def test_a_refused_request_does_not_spend_its_check(client):
    body = json_answers(client)
    assert client.post(API, json={**body, "nom": ""}).status_code == 422
    assert client.post(API, json=body).status_code == 201


def test_the_same_check_serves_once(client):
    body = json_answers(client)
    assert client.post(API, json=body).status_code == 201
    again = client.post(API, json={**body, "mail": "autre@brest.test"})
    assert (again.status_code, list(again.get_json()["errors"])) == (422, ["captcha"])
    assert find_by_mail("bretagne", "autre@brest.test") is None


def test_a_form_with_errors_keeps_the_answers_and_says_what_to_do(client):
    answer = send_page(client, nom="", organisation="Brest & <i>co</i>")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Erreur : Demander un compte – TerriSTORY Bretagne</title>" in page
    assert "Écrivez votre nom." in page
    assert "Brest &amp; &lt;i&gt;co&lt;/i&gt;" in page


def test_the_page_speaks_english_too(client):
    assert client.get(PAGE + "?lang=en").status_code == 200
    send_page(client)
    assert outbox()[0].langue == "en"


def test_without_script_the_form_counts_after_a_wait(client, clock):
    page = client.get(PAGE)
    ticket = page.get_data(as_text=True).partition('name="ticket" value="')[2].partition('"')[0]
    data = {**ANSWERS, "information_lue": "y", "ticket": ticket, "csrf_token": csrf_in(page)}
    early = client.post(PAGE, data=data)
    assert early.status_code == 422
    assert "Le Goff" in early.get_data(as_text=True)
    clock.move(seconds=21)
    assert client.post(PAGE, data=data).status_code == 303
    db.session.expire_all()
    assert find_by_mail("bretagne", MAIL.lower()).without_script


def test_the_request_can_be_taken_up_again_with_its_answers(client):
    send_page(client, motif="Suivre le plan climat")
    page = client.get("/bretagne/inscription/reprendre").get_data(as_text=True)
    assert MAIL in page
    assert "Suivre le plan climat" in page


def test_long_answers_still_fit_into_a_cookie(client):
    texts = "".join(chr(0x4E00 + number * 7 % 20000) for number in range(1000))
    answer = send_page(
        client, motif=texts, territoire=texts[:200], fonction=texts[200:400], organisation=texts[400:600]
    )
    assert answer.status_code == 303
    assert MAIL in client.get(answer.location).get_data(as_text=True)


def test_the_sent_page_of_nobody_leads_to_the_form(client):
    assert client.get("/bretagne/inscription/envoyee").location == PAGE


def test_the_message_can_be_sent_again(client):
    page = client.get(send_page(client).location)
    data = {
        "mail": MAIL,
        "captcha": solved_captcha(client, "bretagne", "confirm"),
        "csrf_token": csrf_in(page),
    }
    answer = client.post("/bretagne/inscription/renvoyer", data=data)
    assert (answer.status_code, answer.location) == (303, "/bretagne/inscription/envoyee")
    assert templates() == ["user/confirm"] * 2
    assert client.post("/bretagne/inscription/renvoyer", data=data).status_code == 422


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_mail_confirmation_the_page_says_that_the_region_has_it(make_app):
    client = make_app(REQUIRE_MAIL_CONFIRMATION=False).test_client()
    page = client.get(send_page(client).location).get_data(as_text=True)
    assert "transmise à la région Bretagne" in page
    assert "Nous avons envoyé un message" not in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_network_may_ask_so_often(make_app):
    client = make_app(LIMIT_REGISTER="2/hour").test_client()
    answers = [client.post(API, json={}).status_code for _time in range(3)]
    assert answers == [422, 422, 429]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_of_a_refusal_by_count_says_how_long_to_wait(make_app):
    client = make_app(LIMIT_REGISTER="1/hour").test_client()
    form = {"csrf_token": csrf_in(client.get("/bretagne/inscription"))}
    assert client.post("/bretagne/inscription", data=form).status_code == 422
    answer = client.post("/bretagne/inscription", data=form)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert re.search(r"Réessayez dans \d+ (minutes?|secondes?)\.", answer.get_data(as_text=True))
