"""Every mail, in both languages: it can be written, says what it must, and carries the same links in both parts."""

import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.mail_outbox.rendering import CannotRender, RenderedMail, render
from terristory.regions.models import Region
from terristory.settings import PROJECT_ROOT
from tests.support.html import faults_of

NOW = datetime(2026, 3, 3, 13, 5, tzinfo=UTC)
LATER = "2026-03-10T13:05:00+00:00"
NOT_ME = {"not_me_token": "signed-not-me"}
PASSWORD = {"temporary_password": "k7wq4m2xr9htc3vn"}
REQUEST = {
    "prenom": "Jeanne", "nom": "Martin", "mail": "jeanne@brest.example", "mail_ascii_domain": "brest.example",
    "organisation": "Brest métropole", "fonction": "Chargée de mission", "territoire": "Pays de Brest",
    "motif": "Suivre notre plan climat.", "user_id": str(uuid4()), "without_script": True, "created_at": LATER,
}  # fmt: skip
JEANNE = {"prenom": "Jeanne"}
# Each template: the frozen subject, its context, its secrets, what its link leads to.
MAILS = {
    "user/confirm": ("Confirmez votre adresse électronique", JEANNE, {"token": "a-token"}, "/confirmer/a-token"),
    "user/received": ("Votre demande de compte est à l'étude", {**JEANNE, "sent_at": LATER},
                      {"status_token": "a-status"}, "/demande/a-status"),
    "user/under_review": ("Votre demande de compte est à l'étude", JEANNE, {"status_token": "a-status"},
                          "/demande/a-status"),
    "user/new_request": ("Nouvelle demande de compte à examiner", REQUEST, {},
                         f"/admin/comptes/{REQUEST['user_id']}"),
    "user/new_request_nobody": ("Nouvelle demande de compte à examiner", REQUEST, {}, ""),
    "user/requests_waiting": ("Demandes de compte en attente", {"prenom": "", "count": 12, "reminder": True}, {},
                              "/admin/comptes"),
    "user/already_registered": ("Vous avez déjà un compte", JEANNE, {}, "/mot-de-passe/oublie"),
    "user/disabled_notice": ("Votre compte est désactivé", JEANNE, {}, ""),
    "user/closing_notice": ("Fermeture de votre compte", {**JEANNE, "erased_at": LATER}, {"token": "a-token"},
                            "/reprendre/a-token"),
    "admin/activated": ("Votre compte est activé", {**JEANNE, "life_seconds": 604800}, PASSWORD, "/connexion"),
    "admin/refused": ("Votre demande de compte n'a pas été acceptée", {**JEANNE, "reason": "Hors de la région."}, {},
                      ""),
    "admin/disabled": ("Votre compte est désactivé", JEANNE, {}, ""),
    "admin/enabled": ("Votre compte est de nouveau actif", JEANNE, {}, "/connexion"),
    "admin/invitation": ("Votre compte est activé", {**JEANNE, "life_seconds": 604800, "role": "admin"}, PASSWORD,
                         "/connexion"),
    "password_change/temporary_password": ("Votre mot de passe provisoire", {**JEANNE, "life_seconds": 3600},
                                           PASSWORD, "/connexion"),
    "password_change/changed": ("Votre mot de passe a été modifié", {**JEANNE, "at": LATER}, NOT_ME,
                                "/pas-moi/signed-not-me"),
    "auth/new_device": ("Nouvelle connexion à votre compte",
                        {**JEANNE, "device": "Firefox sur Windows", "network": "192.0.2.1", "at": LATER}, NOT_ME,
                        "/pas-moi/signed-not-me"),
    "auth/session_ended": ("Une session a été fermée par sécurité",
                           {**JEANNE, "device": "Firefox sur Windows", "at": LATER}, NOT_ME,
                           "/pas-moi/signed-not-me"),
    "account/confirm_new_address": ("Confirmez votre nouvelle adresse", {**JEANNE, "mail": "new@brest.example"},
                                    {"token": "a-token"}, "/adresse/a-token"),
    "account/address_change_asked": ("Votre adresse a été modifiée", {**JEANNE, "new_mail": "new@brest.example"},
                                     NOT_ME, "/pas-moi/signed-not-me"),
    "account/address_changed": ("Votre adresse a été modifiée", {**JEANNE, "new_mail": "new@brest.example"},
                                {"token": "a-token"}, "/adresse/a-token"),
    "account/closing": ("Fermeture de votre compte", {**JEANNE, "erased_at": LATER}, {"token": "a-token", **NOT_ME},
                        "/reprendre/a-token"),
    "operations/inactive": ("Votre compte va être supprimé faute d'utilisation", {**JEANNE, "erased_at": LATER}, {},
                            "/connexion"),
}  # fmt: skip

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def rendered(app: Flask, template: str, langue: str = "fr", **changed: object) -> RenderedMail:
    """Put one mail of MAILS in the outbox, with some values changed, and render it."""
    _, context, secrets, _ = MAILS[template]
    message = MailMessage("bretagne", "jeanne@brest.example", langue, template, {**context, **changed}, secrets)
    with transaction():
        mail_id = put_in_outbox(message, now=NOW)
    return render(app, db.session.get_one(OutboxMail, mail_id), attempt_at=NOW)


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
