"""Every mail, in both languages: it can be written, says what it must, and carries the same links in both parts."""

import re
from pathlib import Path

import pytest
from flask import Flask

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.mail_outbox.rendering import CannotRender, render
from terristory.regions.models import Region
from terristory.settings import PROJECT_ROOT
from tests.support.html import faults_of
from tests.support.mails import JEANNE, MAILS, NOW, PASSWORD, rendered

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def links_of(text: str) -> set[str]:
    """The addresses in a part."""
    return set(re.findall(r"https?://[^\s\"<>]+", text))


def test_every_mail_that_has_a_template_is_tried_here() -> None:
    folders = {path.parent for path in (PROJECT_ROOT / "templates" / "mail").rglob("body.txt")}
    assert {str(folder.relative_to(PROJECT_ROOT / "templates" / "mail")) for folder in folders} == set(MAILS)


@pytest.mark.parametrize("langue", ["fr", "en"])
@pytest.mark.parametrize("template", MAILS)
@on_sqlite
def test_a_mail_can_be_written_with_the_same_links_in_both_parts(app: Flask, template: str, langue: str) -> None:
    mail = rendered(app, template, langue)
    _, _, secrets, path = MAILS[template]
    assert links_of(mail.text) == links_of(mail.html)
    assert all(link.startswith("http://localhost:8000/") for link in links_of(mail.text))
    assert any(link.endswith(path) for link in links_of(mail.text)) or not path
    for part in (mail.text, mail.html):
        assert not re.search(r"%\(|\{\{|\{%|\bNone\b|Undefined", part)
        assert all(secret in part for secret in secrets.values())
    assert faults_of(mail.html, inline_styles=True) == []
    assert f'lang="{langue}"' in mail.html


@pytest.mark.parametrize("template", MAILS)
@on_sqlite
def test_a_subject_is_the_frozen_one_after_the_name_of_the_region(app: Flask, template: str) -> None:
    assert rendered(app, template).subject == f"[TerriSTORY Bretagne] {MAILS[template][0]}"


@on_sqlite
def test_a_temporary_password_stands_alone_under_the_frozen_words(app: Flask) -> None:
    text = rendered(app, "password_change/temporary_password").text
    assert (
        "Votre mot de passe provisoire (minuscules et chiffres, à copier tel quel) :\nk7wq4m2xr9htc3vn\n\n"
        "Valable jusqu'à 15:05, une seule fois. Si votre téléphone remplit l'ancien mot de passe, effacez-le d'abord. "
        "Vous en choisirez un nouveau juste après. Vous n'avez rien demandé ? Ne faites rien : votre mot de passe ne "
        "change pas.\n"
    ) in text


@on_sqlite
def test_times_are_those_of_the_region(app: Flask) -> None:
    message = MailMessage(
        "la-reunion", "a@b.example", "fr", "password_change/temporary_password", {**JEANNE, "life_seconds": 3600},
        PASSWORD,
    )  # fmt: skip
    with transaction():
        mail_id = put_in_outbox(message, now=NOW)
    assert "Valable jusqu'à 18:05" in render(app, db.session.get_one(OutboxMail, mail_id), attempt_at=NOW).text


@pytest.mark.parametrize("value", ["http://evil.example", "www.evil.example", "Jeanne@evil.example"])
@on_sqlite
def test_what_a_person_wrote_is_no_link(app: Flask, value: str) -> None:
    mail = rendered(app, "user/new_request", prenom=value, motif=value, organisation=value)
    for part in (mail.text, mail.html):
        assert value not in part
        assert "evil.example" not in part


@on_sqlite
def test_what_a_person_wrote_is_shown_literally_and_cut(app: Flask) -> None:
    mail = rendered(app, "user/new_request", organisation="<b>{{7*7}}</b>%(x)s", fonction="f" * 500, motif="a\nb")
    assert "<b>{{7*7}}</b>%(x)s" in mail.text
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;%(x)s" in mail.html
    assert "f" * 301 not in mail.text
    assert "> a\n> b\n" in mail.text


@on_sqlite
def test_the_operator_gets_the_two_commands_that_help(app: Flask) -> None:
    mail = rendered(app, "user/new_request_nobody", mail="o'hara@brest.example")
    quoted = "'o'\"'\"'hara@brest.example'"
    assert f"flask --app wsgi users activate --region bretagne --mail {quoted}\n" in mail.text
    assert f"flask --app wsgi users role --region bretagne --mail {quoted} --role admin\n" in mail.text


@on_sqlite
def test_answers_go_to_the_region_and_its_contact_is_named(app: Flask) -> None:
    with transaction():
        db.session.get_one(Region, "bretagne").contact = "climat@bretagne.example"
    mail = rendered(app, "admin/disabled")
    assert mail.reply_to == "climat@bretagne.example"
    assert "climat@bretagne.example" in mail.text
    assert "climat@bretagne.example" in mail.html


@on_sqlite
def test_an_activation_without_a_temporary_password_names_none(app: Flask) -> None:
    message = MailMessage("bretagne", "a@b.example", "fr", "admin/activated", JEANNE)
    with transaction():
        mail_id = put_in_outbox(message, now=NOW)
    text = render(app, db.session.get_one(OutboxMail, mail_id), attempt_at=NOW).text
    assert "activé" in text
    assert "provisoire" not in text


@on_sqlite
def test_a_mail_whose_secret_no_key_opens_cannot_be_written(app: Flask) -> None:
    mail = OutboxMail(region="bretagne", langue="fr", template="user/confirm", context=JEANNE, sealed="garbage")
    with pytest.raises(CannotRender):
        render(app, mail, attempt_at=NOW)


def test_every_template_has_its_three_files() -> None:
    for template in MAILS:
        folder = Path(PROJECT_ROOT / "templates" / "mail" / template)
        assert {path.name for path in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}
