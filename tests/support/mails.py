"""Every mail of the service with made-up values: for the tests that render them all."""

from datetime import UTC, datetime

from flask import Flask

from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.mail_outbox.rendering import RenderedMail, render

NOW = datetime(2026, 3, 3, 13, 5, tzinfo=UTC)
LATER = "2026-03-10T13:05:00+00:00"
NOT_ME = {"not_me_token": "signed-not-me"}
PASSWORD = {"temporary_password": "k7wq4m2xr9htc3vn"}
REQUEST = {
    "prenom": "Jeanne", "nom": "Martin", "mail": "jeanne@brest.example", "mail_ascii_domain": "brest.example",
    "organisation": "Brest métropole", "fonction": "Chargée de mission", "territoire": "Pays de Brest",
    "motif": "Suivre notre plan climat.", "user_id": "5f0c3f0e-6f5e-4a53-9f0a-2f4f3f5b7c11",
    "without_script": True, "created_at": LATER,
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


def rendered(app: Flask, template: str, langue: str = "fr", **changed: object) -> RenderedMail:
    """Put one mail of MAILS in the outbox, with some values changed, and render it."""
    _, context, secrets, _ = MAILS[template]
    message = MailMessage("bretagne", "jeanne@brest.example", langue, template, {**context, **changed}, secrets)
    with transaction():
        mail_id = put_in_outbox(message, now=NOW)
    return render(app, db.session.get_one(OutboxMail, mail_id), attempt_at=NOW)
