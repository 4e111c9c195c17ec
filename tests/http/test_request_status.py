"""The applicant's status page: a signed link, no sign-in, nothing personal once the account is active."""

import html
import re

import pytest

from terristory.user.lookup import find_by_mail, find_user
from terristory.user.models import Status
from terristory.user.signed_links import LinkKind, sign_link
from tests.support.people import an_account
from tests.support.requests_for_accounts import ask, csrf_in, secrets_of, templates

MAIL = "jeanne@brest.test"


def page_of(user_id, region="bretagne", kind=LinkKind.REQUEST):
    return f"/{region}/demande/{sign_link(kind, region, user_id)}"


@pytest.mark.parametrize(
    ("status", "words", "personal"),
    [
        (Status.UNCONFIRMED, "Votre adresse reste à confirmer", True),
        (Status.AWAITING, "Envoyée le", True),
        (Status.REFUSED, "Hors de la région", False),
        (Status.ACTIVE, "Votre compte est actif", False),
        (Status.DISABLED, "Votre compte est désactivé", False),
    ],
)
def test_it_says_where_the_request_stands(app, client, status, words, personal):
    user_id = an_account(MAIL, status=status, reason="Hors de la région")
    page = client.get(page_of(user_id)).get_data(as_text=True)
    assert words in page
    assert (MAIL in page) == personal


def test_a_link_not_rightly_signed_is_unknown(app, client):
    user_id = an_account(MAIL, status=Status.AWAITING)
    assert client.get(page_of(user_id) + "x").status_code == 404
    assert client.get(page_of(user_id, kind=LinkKind.NOT_ME)).status_code == 404
    token = page_of(user_id).rpartition("/")[2]
    assert client.get(f"/occitanie/demande/{token}").status_code == 404


@pytest.mark.parametrize(
    ("status", "under_way"),
    [
        (Status.UNCONFIRMED, "Confirmation de l'adresse"),
        (Status.AWAITING, "Validation par la région"),
        (Status.ACTIVE, None),
    ],
)
def test_it_shows_the_steps_done_and_the_one_under_way(app, client, status, under_way):
    page = html.unescape(client.get(page_of(an_account(MAIL, status=status))).get_data(as_text=True))
    current = re.search(r'aria-current="step"><span>([^<]+)<', page)
    assert (current.group(1) if current else None) == under_way
    assert page.count(" (fait)") == {Status.UNCONFIRMED: 1, Status.AWAITING: 2, Status.ACTIVE: 4}[status]


def test_a_request_that_no_mail_confirms_shows_one_step_less(app, client):
    user_id = an_account(MAIL, status=Status.AWAITING, confirmed_at=None)
    page = html.unescape(client.get(page_of(user_id)).get_data(as_text=True))
    assert "Confirmation de l'adresse" not in page
    assert page.count(" (fait)") == 1


def test_a_closing_account_is_not_said_to_let_anybody_in(app, client, clock):
    page = client.get(page_of(an_account(MAIL, closing_at=clock.now()))).get_data(as_text=True)
    assert "Votre compte est en cours de fermeture" in page
    assert "Vous pouvez vous connecter" not in page
    assert MAIL not in page


def test_the_confirmation_is_sent_again_from_there_as_often_as_from_elsewhere(app, client, clock):
    ask(clock.now(), mail=MAIL)
    user_id = find_by_mail("bretagne", MAIL).id
    url = page_of(user_id)
    page = client.get(url)
    for _time in range(5):
        answer = client.post(url + "/renvoyer", data={"csrf_token": csrf_in(page)})
        assert answer.location == url
    assert templates() == ["user/confirm"] * 3
    old, *_between, newest = (secrets["token"] for secrets in secrets_of("user/confirm"))
    assert client.get(f"/bretagne/confirmer/{old}").status_code == 410
    assert client.get(f"/bretagne/confirmer/{newest}").status_code == 200


@pytest.mark.parametrize("status", [Status.AWAITING, Status.REFUSED, Status.ACTIVE, Status.DISABLED])
def test_nothing_is_sent_again_where_no_confirmation_is_awaited(app, client, status):
    user_id = an_account(MAIL, status=status)
    token = csrf_in(client.get("/bretagne/inscription"))
    url = page_of(user_id)
    answer = client.post(url + "/renvoyer", data={"csrf_token": token})
    assert answer.location == url
    assert templates() == []


@pytest.mark.parametrize("status", [Status.UNCONFIRMED, Status.AWAITING])
def test_a_request_can_be_withdrawn_after_a_confirmation(app, client, status):
    user_id = an_account(MAIL, status=status)
    url = page_of(user_id) + "/retirer"
    question = client.get(url)
    assert question.status_code == 200
    assert find_user("bretagne", user_id) is not None
    answer = client.post(url, data={"csrf_token": csrf_in(question)})
    assert (answer.status_code, answer.location) == (303, "/bretagne/")
    assert find_user("bretagne", user_id) is None
    assert client.get(page_of(user_id)).status_code == 404


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.REFUSED, Status.DISABLED])
def test_what_is_decided_cannot_be_withdrawn(app, client, status):
    user_id = an_account(MAIL, status=status)
    token = csrf_in(client.get("/bretagne/inscription"))
    # Signed once: a link signed a second later is another one.
    page = page_of(user_id)
    answer = client.post(page + "/retirer", data={"csrf_token": token})
    assert answer.location == page
    assert find_user("bretagne", user_id) is not None
