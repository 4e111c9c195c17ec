"""The challenge as clients fetch it, and what a form makes of a challenge or a ticket."""

import pytest
from flask import g
from werkzeug.datastructures import MultiDict

from terristory.auth.models import Failure
from terristory.captcha.forms import CaptchaMixin, CaptchaSpent
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.regions.lookup import find_open_region
from terristory.settings import digest_of
from terristory.web.base_form import Filled, TextField
from tests.support.captcha import solved_captcha

FORM = "create_user"


class Letter(CaptchaMixin):
    """A protected form with one field of its own."""

    form_name = FORM
    nom = TextField(validators=[Filled()])


class LetterAtSignIn(Letter):
    captcha_wanted = False


def test_it_may_not_be_stored_by_caches(client):
    assert client.get(f"/api/bretagne/captcha?form={FORM}").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["", "?form=", "?form=login", "?form=create_user%00", "?form[]=create_user"])
def test_a_form_we_do_not_have_is_refused(client, query):
    answer = client.get("/api/bretagne/captcha" + query)
    assert answer.status_code == 422
    assert "create_user" in answer.get_json()["errors"]["form"][0]


@pytest.mark.parametrize("region", ["atlantide", "Bretagne"])
def test_an_unknown_region_has_none(client, region):
    assert client.get(f"/api/{region}/captcha?form={FORM}").status_code == 404


def test_it_tells_its_form_its_region_its_bound_and_its_end(client, clock):
    parameters = client.get(f"/api/bretagne/captcha?form={FORM}").get_json()["parameters"]
    assert parameters["data"] == {"form": FORM, "region": "bretagne", "max": 3}
    assert parameters["expiresAt"] == clock.now().timestamp() + 600


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_one_network_can_ask_for_so_many(make_app):
    client = make_app(LIMIT_CAPTCHA="2/minute").test_client()
    answers = [client.get(f"/api/bretagne/captcha?form={FORM}").status_code for _ in range(3)]
    assert answers == [200, 200, 429]


@pytest.mark.parametrize(("failures", "most"), [(24, 3), (25, 6), (45, 12), (500, 12)])
def test_the_work_of_signing_in_grows_with_the_failures_of_a_network_and_no_other_does(client, clock, failures, most):
    with transaction():
        db.session.add(Failure(key=digest_of("network:127.0.0.1"), count=failures, last_at=clock.now()))

    def bound(form):
        return client.get(f"/api/bretagne/captcha?form={form}").get_json()["parameters"]["data"]["max"]

    assert (bound("authenticate"), bound(FORM)) == (most, 3)
    clock.move(days=1)
    assert bound("authenticate") == 3


@pytest.fixture
def fill(app, client):
    """Fill a form as a page's POST does; `json=True` as the JSON door does."""
    opened = []

    def fill(form_class=Letter, *, json=False, **fields):
        context = app.test_request_context("/", method="POST")
        context.push()
        opened.append(context)
        g.region = find_open_region("bretagne")
        # The form token is another test's subject; a page's form is told by its having one.
        form = form_class(formdata=MultiDict({"nom": "Le Goff", **fields}), meta={"csrf": not json})
        form._fields.pop("csrf_token", None)
        return form

    yield fill
    for context in reversed(opened):
        context.pop()


@pytest.fixture
def token(client):
    return solved_captcha(client, "bretagne", FORM)


@pytest.mark.parametrize("json", [True, False])
def test_a_form_with_a_solved_challenge_passes_once(fill, token, json):
    form = fill(captcha=token, json=json)
    assert form.validate()
    assert not form.without_script
    with transaction():
        form.claim_captcha(utc_now())
    again = fill(captcha=token, json=json)
    assert again.validate()
    with pytest.raises(CaptchaSpent) as refusal, transaction():
        again.claim_captcha(utc_now())
    assert list(refusal.value.errors) == ["captcha"]


def test_a_form_with_errors_keeps_its_challenge(fill, token):
    form = fill(captcha=token, nom="")
    assert not form.validate()
    assert "captcha" not in form.errors
    assert form.captcha.data == token
    better = fill(captcha=token)
    assert better.validate()
    with transaction():
        assert better.spend_captcha(utc_now())


@pytest.mark.parametrize("captcha", ["", "x", "a" * 100_000])
def test_by_json_nothing_but_a_solved_challenge_counts(fill, clock, captcha):
    ticket = fill().ticket.data
    clock.move(seconds=30)
    form = fill(captcha=captcha, ticket=ticket, json=True)
    assert not form.validate()
    assert list(form.errors) == ["captcha"]


def test_errors_on_the_check_come_last(fill):
    form = fill(nom="", json=True)
    assert not form.validate()
    assert list(form.errors) == ["nom", "captcha"]


def test_a_page_shown_anew_holds_a_ticket(fill):
    assert fill().ticket.data
    assert not fill(json=True).ticket.data


def test_a_ticket_sent_too_early_is_kept_and_the_wait_is_told(fill, clock):
    ticket = fill().ticket.data
    clock.move(seconds=8)
    form = fill(ticket=ticket)
    assert not form.validate()
    assert "12" in form.errors["ticket"][0]
    assert form.ticket.data == ticket
    clock.move(seconds=12)
    later = fill(ticket=ticket)
    assert later.validate()
    assert later.without_script
    with transaction():
        later.claim_captcha(utc_now())


def test_a_ripe_ticket_serves_when_the_challenge_has_expired(fill, token, clock):
    ticket = fill().ticket.data
    clock.move(seconds=700)
    assert fill(ticket=ticket, captcha=token).validate()


def test_a_ticket_that_has_served_is_replaced_by_one_to_wait_for(fill, clock):
    ticket = fill().ticket.data
    clock.move(seconds=20)
    first, second = fill(ticket=ticket), fill(ticket=ticket)
    assert first.validate()
    assert second.validate()
    with transaction():
        assert first.spend_captcha(utc_now())
    with transaction():
        assert not second.spend_captcha(utc_now())
    assert second.ticket.data != ticket
    assert "20" in second.errors["ticket"][0]


def test_a_forged_ticket_is_replaced_by_one_to_wait_for(fill):
    form = fill(ticket="forged")
    assert not form.validate()
    assert form.ticket.data != "forged"


def test_the_eleventh_ticket_of_a_network_in_an_hour_is_refused_unspent(fill, clock):
    shown = [fill().ticket.data for _ in range(11)]
    clock.move(seconds=20)
    for ticket in shown[:10]:
        form = fill(ticket=ticket)
        assert form.validate()
        with transaction():
            form.claim_captcha(utc_now())
    for _ in range(2):
        form = fill(ticket=shown[10])
        assert form.validate()
        with pytest.raises(CaptchaSpent), transaction():
            form.claim_captcha(utc_now())
        assert form.ticket.data == shown[10]
    clock.move(hours=1)
    form = fill(ticket=shown[10])
    assert form.validate()
    with transaction():
        form.claim_captcha(utc_now())


def test_signing_in_needs_none_until_the_door_asks(fill, token):
    assert fill(LetterAtSignIn, json=True).validate()
    form = fill(LetterAtSignIn, json=True)
    assert not form.check_captcha(g.region)
    form = fill(LetterAtSignIn, captcha=token, json=True)
    assert form.validate()
    assert form.check_captcha(g.region)
