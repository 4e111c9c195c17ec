"""Forgotten, chosen anew, « ce n'était pas moi »: pages and JSON alike."""

import html
import re

import pytest
from sqlalchemy import select

from terristory.auth.temporary_password import issue_temporary_password
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.sealing import open_sealed
from terristory.passwords.hashing import verify_password
from terristory.user.lookup import find_by_mail
from terristory.user.models import Status
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account, bearer_of

MAIL = "jeanne@brest.test"
NEW = "girafe violon tempête 7 carottes"
FORGOTTEN, SENT, CHOOSE = (f"/bretagne/mot-de-passe{end}" for end in ("/oublie", "/envoye", ""))
API = "/api/bretagne/user/password"


def text_of(answer):
    return html.unescape(answer.get_data(as_text=True))


def form_token(page):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]


def post(client, path, follow=False, **fields):
    """Open the page, then send its form with what is filled in."""
    token = form_token(text_of(client.get(path)))
    return client.post(path, data={"csrf_token": token, **fields}, follow_redirects=follow)


def ask(client, mail=MAIL, **more):
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    return client.post(f"{API}/regenerate", json={"mail": mail, "captcha": captcha, **more})


def mailed(template="password_change/temporary_password"):
    rows = db.session.scalars(select(OutboxMail).where(OutboxMail.template == template)).all()
    return [open_sealed(row.sealed) for row in rows]


def sign_in(client, password=PASSWORD):
    answer = client.post("/api/bretagne/user/auth", json={"login": MAIL, "password": password})
    assert answer.status_code == 200
    return answer


def temporary_password(user_id):
    with transaction():
        return issue_temporary_password(user_id, life_seconds=600, now=utc_now()).password


def password_is(password):
    return verify_password(find_by_mail("bretagne", MAIL).password_hash, password).right


@pytest.mark.parametrize("who", ["known", "unknown", "awaiting", "elsewhere"])
def test_the_answer_is_the_same_for_everybody(client, who):
    if who != "unknown":
        status = Status.AWAITING if who == "awaiting" else Status.ACTIVE
        an_account(MAIL, region="corse" if who == "elsewhere" else "bretagne", status=status)
    answer = ask(client)
    assert (answer.status_code, answer.get_json()) == (202, {"sent": True})
    assert len(mailed()) == (who == "known")


def test_the_address_may_be_typed_in_capitals(client):
    an_account(MAIL)
    ask(client, "  JEANNE@Brest.test ")
    assert len(mailed()) == 1


@pytest.mark.parametrize("body", [{"mail": "no address"}, {"mail": ""}, {}, {"mail": MAIL, "role": "admin"}])
def test_what_cannot_be_taken_is_a_422(client, body):
    assert client.post(f"{API}/regenerate", json=body).status_code == 422


def test_without_the_automatic_check_nothing_leaves(client):
    an_account(MAIL)
    answer = client.post(f"{API}/regenerate", json={"mail": MAIL})
    assert answer.status_code == 422
    assert "captcha" in answer.get_json()["errors"]
    assert mailed() == []


def test_one_check_serves_once(client):
    an_account(MAIL)
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    answers = [client.post(f"{API}/regenerate", json={"mail": MAIL, "captcha": captcha}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 422]
    assert len(mailed()) == 1


def test_the_mailed_password_signs_in_and_is_replaced(client):
    an_account(MAIL)
    ask(client)
    temporary = mailed()[0]["temporary_password"]
    bearer = bearer_of(client, MAIL, password=temporary)
    assert client.put(API, json={"new_password": NEW}, headers=bearer).status_code == 204
    assert password_is(NEW)
    assert "password_change_required" not in client.get("/api/bretagne/auth/me", headers=bearer).get_json()["me"]


@pytest.mark.parametrize("spent", [False, True])
def test_the_page_says_the_frozen_words_for_anybody(client, spent):
    captcha = solved_captcha(client, "bretagne", "regenerate_password")
    answer = post(client, FORGOTTEN, mail=MAIL, captcha=captcha, follow=True)
    assert answer.request.path == SENT
    page = " ".join(text_of(answer).split())
    assert f"Si un compte actif existe pour {MAIL}, un mot de passe provisoire vient d'être envoyé." in page
    assert "Il sert une seule fois, pendant une heure. Votre mot de passe actuel reste valable." in page
    if spent:
        answer = post(client, FORGOTTEN, mail=MAIL, captcha=captcha)
        assert answer.status_code == 422
        assert "<title>Erreur : " in text_of(answer)


def test_the_page_knows_the_address_typed_at_the_sign_in(client):
    refused = text_of(post(client, "/bretagne/connexion", login=MAIL, password="girafe"))
    link = re.search(rf'href="({FORGOTTEN}[^"]*)">Mot de passe oublié', refused)
    assert f'value="{MAIL}"' in text_of(client.get(link[1]))


def test_the_page_keeps_a_wrong_address_and_says_what_to_write(client):
    answer = post(client, FORGOTTEN, mail="jeanne@")
    assert answer.status_code == 422
    assert 'value="jeanne@"' in text_of(answer)


def test_the_page_after_sending_needs_a_sending(client):
    assert client.get(SENT).headers["Location"].endswith(FORGOTTEN)


def test_so_many_wishes_from_one_network(make_app):
    client = make_app(LIMIT_REGENERATE="2/hour").test_client()
    statuses = [client.post(f"{API}/regenerate", json={}).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]


# Choosing.


def test_a_wrong_current_password_is_said_on_its_field(client):
    an_account(MAIL)
    bearer = bearer_of(client, MAIL)
    answer = client.put(API, json={"password": "wrong", "new_password": NEW}, headers=bearer)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["password"]
    assert password_is(PASSWORD)


def test_many_wrong_ones_have_to_wait(client):
    an_account(MAIL)
    bearer = bearer_of(client, MAIL)
    body = {"password": "wrong", "new_password": NEW}
    statuses = [client.put(API, json=body, headers=bearer).status_code for _ in range(8)]
    assert statuses[:5] == [422] * 5
    assert statuses[-1] == 429


@pytest.mark.parametrize("new", ["short", "bretagne2024bretagne", "", "a\0b" * 10, PASSWORD])
def test_a_new_password_that_cannot_be_is_refused(client, new):
    an_account(MAIL)
    answer = client.put(API, json={"password": PASSWORD, "new_password": new}, headers=bearer_of(client, MAIL))
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["new_password"]
    assert password_is(PASSWORD)


def test_the_current_password_is_asked_for(client):
    an_account(MAIL)
    answer = client.put(API, json={"new_password": NEW}, headers=bearer_of(client, MAIL))
    assert list(answer.get_json()["errors"]) == ["password"]


def test_this_session_lives_on_and_the_others_end(client):
    an_account(MAIL)
    here = bearer_of(client, MAIL)
    elsewhere = bearer_of(client, MAIL)
    assert client.put(API, json={"password": PASSWORD, "new_password": NEW}, headers=here).status_code == 204
    answers = [client.get("/api/bretagne/auth/me", headers=headers).status_code for headers in (here, elsewhere)]
    assert answers == [200, 401]


@pytest.mark.parametrize("same_as", ["the temporary one", "the current one"])
def test_after_a_temporary_password_an_old_one_is_refused(client, same_as):
    temporary = temporary_password(an_account(MAIL))
    bearer = bearer_of(client, MAIL, password=temporary)
    new = temporary if same_as == "the temporary one" else PASSWORD
    answer = client.put(API, json={"new_password": new}, headers=bearer)
    assert answer.status_code == 422
    assert client.put(API, json={"password": "ignored", "new_password": NEW}, headers=bearer).status_code == 204


def test_the_page_asks_for_the_current_one(client):
    an_account(MAIL)
    sign_in(client)
    assert "Mot de passe actuel (obligatoire)" in text_of(client.get(CHOOSE))
    answer = post(client, CHOOSE, password=PASSWORD, new_password=NEW, follow=True)
    assert answer.request.path == "/bretagne/compte"
    assert "C'est fait" in text_of(answer)
    assert password_is(NEW)


def test_the_page_after_a_temporary_one_asks_for_the_new_one_only(client):
    temporary = temporary_password(an_account(MAIL))
    sign_in(client, temporary)
    assert client.get("/bretagne/compte").headers["Location"].endswith(CHOOSE)
    assert "Mot de passe actuel" not in text_of(client.get(CHOOSE))
    assert post(client, CHOOSE, new_password="court").status_code == 422
    assert post(client, CHOOSE, new_password=NEW, follow=True).request.path == "/bretagne/compte"


def test_the_page_never_gives_a_password_back(client):
    an_account(MAIL)
    sign_in(client)
    answer = post(client, CHOOSE, password="tracteur wrong 42", new_password=NEW)
    assert answer.status_code == 422
    assert "<title>Erreur : " in text_of(answer)
    assert "tracteur" not in text_of(answer)
    assert NEW not in text_of(answer)


# « Ce n'était pas moi ».


def not_me(user_id, region="bretagne"):
    return f"/bretagne/pas-moi/{sign_link(LinkKind.NOT_ME, region, user_id)}"


def test_opening_the_link_changes_nothing(client):
    path = not_me(an_account(MAIL))
    for _ in range(3):
        assert client.get(path).status_code == 200
        assert client.head(path).status_code == 200
    assert password_is(PASSWORD)
    assert mailed() == []


def test_its_button_ends_all_and_mails_a_way_in(client):
    user_id = an_account(MAIL)
    bearer = bearer_of(client, MAIL)
    assert post(client, not_me(user_id)).status_code == 200
    assert client.get("/api/bretagne/auth/me", headers=bearer).status_code == 401
    assert not password_is(PASSWORD)
    assert bearer_of(client, MAIL, password=mailed()[0]["temporary_password"])


def test_the_link_in_the_mail_of_a_change_is_that_one(client):
    an_account(MAIL)
    client.put(API, json={"password": PASSWORD, "new_password": NEW}, headers=bearer_of(client, MAIL))
    token = mailed("password_change/changed")[0]["not_me_token"]
    assert client.get(f"/bretagne/pas-moi/{token}").status_code == 200
    assert client.get(f"/corse/pas-moi/{token}").status_code == 404


def test_a_forged_link_is_unknown_and_an_old_one_gone(client, clock):
    user_id = an_account(MAIL)
    path = not_me(user_id)
    assert client.get(path[:-2] + "xx").status_code == 404
    assert client.get(not_me(user_id, "corse")).status_code == 404
    clock.move(days=31)
    assert client.get(path).status_code == 410
