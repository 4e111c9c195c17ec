"""What administrators read for codes and events."""

from terristory.audit.events import AuditEvent
from terristory.i18n import _
from terristory.user.models import Status


def words_for(code: str) -> str:
    """Return why a decision was not taken, from the code of its conflict."""
    words = {
        "own_account": _("Un administrateur ne décide pas de son propre compte."),
        "last_admin": _("C'est le dernier administrateur actif de la région : nommez-en d'abord un autre."),
        "user_unconfirmed": _("L'adresse n'est pas confirmée : validez sans confirmation, ou attendez-la."),
        "user_disabled": _("Le compte est désactivé : réactivez-le plutôt."),
        "user_not_awaiting": _("La demande n'attend plus de décision."),
        "user_not_active": _("Le compte n'est pas actif."),
        "user_not_disabled": _("Le compte n'est pas désactivé."),
        "user_not_unconfirmed": _("L'adresse n'attend pas de confirmation."),
    }
    return str(words.get(code) or _("L'état du compte ne le permet pas."))


def status_words() -> dict[str, str]:
    """Return the word of each status, in the order of the tabs."""
    return {
        Status.AWAITING.value: str(_("À examiner")),
        Status.UNCONFIRMED.value: str(_("À confirmer")),
        Status.ACTIVE.value: str(_("Actif")),
        Status.REFUSED.value: str(_("Refusé")),
        Status.DISABLED.value: str(_("Désactivé")),
    }


def sort_words() -> dict[str, str]:
    """Return the word of each order of the list."""
    return {
        "created_at": str(_("Demande la plus ancienne d'abord")),
        "-created_at": str(_("Demande la plus récente d'abord")),
        "nom": str(_("Nom, de A à Z")),
        "-nom": str(_("Nom, de Z à A")),
        "-last_sign_in_at": str(_("Dernière connexion la plus récente d'abord")),
        "last_sign_in_at": str(_("Dernière connexion la plus ancienne d'abord")),
    }


def action_words() -> dict[str, str]:
    """Return the word of each decision that can be taken on several accounts."""
    return {
        "activate": str(_("Valider")),
        "refuse": str(_("Refuser")),
        "disable": str(_("Désactiver")),
        "enable": str(_("Réactiver")),
    }


def mail_words() -> dict[str, str]:
    """Return the word of each state of a mail."""
    return {"pending": str(_("en attente")), "sent": str(_("envoyé")), "dead": str(_("en échec"))}


def event_words() -> dict[str, str]:
    """Return what each event of the trail is called in the journal."""
    return {
        AuditEvent.USER_CREATED.value: str(_("Demande reçue")),
        AuditEvent.USER_CONFIRMED.value: str(_("Adresse confirmée")),
        AuditEvent.USER_ACTIVATED.value: str(_("Compte validé")),
        AuditEvent.USER_REFUSED.value: str(_("Demande refusée")),
        AuditEvent.USER_DISABLED.value: str(_("Compte désactivé")),
        AuditEvent.USER_ENABLED.value: str(_("Compte réactivé")),
        AuditEvent.USER_ROLE_CHANGED.value: str(_("Rôle changé")),
        AuditEvent.USER_SIGNED_OUT.value: str(_("Déconnecté partout par un administrateur")),
        AuditEvent.USER_CONFIRMATION_RESENT.value: str(_("Confirmation renvoyée")),
        AuditEvent.USER_WITHDRAWN.value: str(_("Demande retirée")),
        AuditEvent.USER_PROFILE_CHANGED.value: str(_("Profil modifié")),
        AuditEvent.USER_MAIL_CHANGE_ASKED.value: str(_("Changement d'adresse demandé")),
        AuditEvent.USER_MAIL_CHANGED.value: str(_("Adresse changée")),
        AuditEvent.USER_MAIL_TAKEN_BACK.value: str(_("Ancienne adresse reprise")),
        AuditEvent.USER_EXPORTED.value: str(_("Données personnelles exportées")),
        AuditEvent.USER_CLOSING.value: str(_("Fermeture du compte demandée")),
        AuditEvent.USER_CLOSING_CANCELLED.value: str(_("Fermeture du compte annulée")),
        AuditEvent.USER_ERASED.value: str(_("Compte supprimé")),
        AuditEvent.USER_INACTIVITY_WARNED.value: str(_("Prévenu d'une suppression faute d'utilisation")),
        AuditEvent.USERS_EXPORTED.value: str(_("Liste des comptes exportée")),
        AuditEvent.AUDIT_EXPORTED.value: str(_("Journal exporté")),
        AuditEvent.SIGNED_IN.value: str(_("Connexion")),
        AuditEvent.SIGN_IN_FAILED.value: str(_("Connexion refusée")),
        AuditEvent.SIGN_IN_THROTTLED.value: str(_("Connexions freinées")),
        AuditEvent.SIGNED_OUT.value: str(_("Déconnexion")),
        AuditEvent.SESSION_ENDED.value: str(_("Session fermée")),
        AuditEvent.REFRESH_REPLAYED.value: str(_("Session fermée par sécurité")),
        AuditEvent.TEMPORARY_PASSWORD_USED.value: str(_("Mot de passe provisoire utilisé")),
        AuditEvent.PASSWORD_REGENERATED.value: str(_("Mot de passe provisoire envoyé")),
        AuditEvent.PASSWORD_CHANGED.value: str(_("Mot de passe modifié")),
        AuditEvent.PASSWORD_CHANGE_FAILED.value: str(_("Mot de passe actuel incorrect")),
        AuditEvent.PASSWORD_VOIDED.value: str(_("Mot de passe annulé")),
        AuditEvent.REGION_OPENED.value: str(_("Région ouverte")),
        AuditEvent.REGION_CLOSED.value: str(_("Région fermée")),
        AuditEvent.REGION_CHANGED.value: str(_("Région décrite")),
    }
