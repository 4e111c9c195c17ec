"""The outbox in a browser: everything readable in development, nothing there in production."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from tests.support.client import CheckedClient

PASSWORD = "k7wq4m2xr9htc3vn"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def a_mail(langue: str = "fr") -> UUID:
    message = MailMessage(
        region="bretagne",
        to="jeanne@brest.example",
        langue=langue,
        template="password_change/temporary_password",
        context={"prenom": "<i>Jeanne</i>", "life_seconds": 3600},
        secrets={"temporary_password": PASSWORD},
    )
    with transaction():
        return put_in_outbox(message, now=utc_now())


def test_an_empty_outbox_says_so(client: CheckedClient) -> None:
    assert "Aucun message" in client.get("/dev/courriels").text


def test_the_list_names_each_mail_and_leads_to_it(client: CheckedClient) -> None:
    mail_id = a_mail()
    page = client.get("/dev/courriels").text
    assert f'href="/dev/courriels/{mail_id}"' in page
    assert "jeanne@brest.example" in page
    assert "[TerriSTORY Bretagne] Votre mot de passe provisoire" in page


def test_one_mail_shows_its_text_with_links_and_frames_its_html(client: CheckedClient) -> None:
    mail_id = a_mail()
    answer = client.get(f"/dev/courriels/{mail_id}")
    text = answer.text.partition("<pre>")[2].partition("</pre>")[0]
    assert f"\n{PASSWORD}\n" in text
    assert '<a href="http://localhost:8000/bretagne/connexion"' in text
    assert "&lt;i&gt;Jeanne&lt;/i&gt;" in text
    assert f'src="/dev/courriels/{mail_id}/html"' in answer.text
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_html_of_a_mail_runs_nothing_and_can_be_framed_by_this_site(client: CheckedClient) -> None:
    answer = client.get(f"/dev/courriels/{a_mail()}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert PASSWORD in answer.text
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_a_mail_is_shown_in_its_own_language_whatever_the_reader_s(client: CheckedClient) -> None:
    page = client.get(f"/dev/courriels/{a_mail('fr')}?lang=en").text
    assert "Votre mot de passe provisoire (minuscules et chiffres, à copier tel quel)" in page
    assert '<html lang="en"' in page


def test_a_mail_that_left_says_that_its_content_was_wiped(client: CheckedClient) -> None:
    mail_id = a_mail()
    with transaction():
        mail = db.session.get_one(OutboxMail, mail_id)
        mail.state, mail.sealed, mail.context = "sent", None, {}
    page = client.get(f"/dev/courriels/{mail_id}").text
    assert "a été effacé" in page
    assert PASSWORD not in page
    assert client.get(f"/dev/courriels/{mail_id}/html").status_code == 404


def test_an_unknown_mail_is_not_found(client: CheckedClient) -> None:
    assert client.get(f"/dev/courriels/{uuid4()}").status_code == 404


def test_the_outbox_does_not_exist_in_production(make_app: Callable[..., Flask]) -> None:
    app = make_app(
        ENV="production",
        PUBLIC_URL="https://compte.terristory.example",
        SMTP_URL="smtp+plain://127.0.0.1:25",
        MAIL_FROM="compte@terristory.example",
        OPERATOR_MAIL="operator@terristory.example",
    )
    with app.app_context():
        mail_id = a_mail()
        client = app.test_client()
        for path in ("/dev/courriels", f"/dev/courriels/{mail_id}", f"/dev/courriels/{mail_id}/html"):
            assert client.get(path, base_url="https://compte.terristory.example").status_code == 404
