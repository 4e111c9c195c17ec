"""What the audit trail says to the person it is about, in plain words."""

from terristory.audit.events import AuditEvent
from terristory.i18n import _


def words_for_event(event: str) -> str:
    """Return, in the language in force, what happened; the event's own name for one that has no words here."""
    words = {
        AuditEvent.USER_CREATED: _("Demande de compte reçue"),
        AuditEvent.USER_CONFIRMED: _("Adresse confirmée"),
        AuditEvent.USER_ACTIVATED: _("Compte validé"),
        AuditEvent.USER_REFUSED: _("Demande refusée"),
        AuditEvent.USER_DISABLED: _("Compte désactivé"),
        AuditEvent.USER_ENABLED: _("Compte réactivé"),
        AuditEvent.USER_ROLE_CHANGED: _("Rôle modifié"),
        AuditEvent.USER_SIGNED_OUT: _("Déconnexion partout, par un administrateur"),
        AuditEvent.USER_CONFIRMATION_RESENT: _("Lien de confirmation envoyé de nouveau"),
        AuditEvent.USER_PROFILE_CHANGED: _("Profil modifié"),
        AuditEvent.USER_MAIL_CHANGE_ASKED: _("Changement d'adresse demandé"),
        AuditEvent.USER_MAIL_CHANGED: _("Adresse modifiée"),
        AuditEvent.USER_MAIL_TAKEN_BACK: _("Ancienne adresse reprise"),
        AuditEvent.USER_EXPORTED: _("Données téléchargées"),
        AuditEvent.USER_CLOSING: _("Fermeture du compte demandée"),
        AuditEvent.USER_CLOSING_CANCELLED: _("Fermeture du compte annulée"),
        AuditEvent.USER_INACTIVITY_WARNED: _("Courriel d'avertissement : compte inutilisé"),
        AuditEvent.SIGNED_IN: _("Connexion"),
        AuditEvent.SIGN_IN_FAILED: _("Connexion refusée"),
        AuditEvent.SIGN_IN_THROTTLED: _("Connexion refusée : trop d'essais"),
        AuditEvent.SIGNED_OUT: _("Déconnexion"),
        AuditEvent.SESSION_ENDED: _("Session fermée"),
        AuditEvent.REFRESH_REPLAYED: _("Session fermée par sécurité"),
        AuditEvent.TEMPORARY_PASSWORD_USED: _("Mot de passe provisoire utilisé"),
        AuditEvent.PASSWORD_REGENERATED: _("Mot de passe provisoire envoyé"),
        AuditEvent.PASSWORD_CHANGED: _("Mot de passe modifié"),
        AuditEvent.PASSWORD_CHANGE_FAILED: _("Mot de passe actuel mal saisi"),
        AuditEvent.PASSWORD_VOIDED: _("Mot de passe annulé par « Ce n'était pas moi »"),
    }
    return str(words.get(AuditEvent(event), event)) if event in set(AuditEvent) else event
