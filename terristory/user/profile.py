"""What a person says about himself, and the text by which admins find him."""

from collections.abc import Mapping
from datetime import datetime

from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.extensions import db
from terristory.user.mail_address import folded
from terristory.user.models import User

PROFILE = ("prenom", "nom", "organisation", "fonction", "territoire", "langue")


def refresh_search_text(user: User) -> None:
    """Make the searched text follow the names, the address and the organisation."""
    user.search_text = folded(user.prenom, user.nom, user.mail, user.organisation)


def change_profile(user: User, values: Mapping[str, str], *, now: datetime) -> bool:
    """Set the fields of PROFILE that `values` holds, and no other; return whether anything changed."""
    changed = [name for name in PROFILE if name in values and getattr(user, name) != values[name]]
    if not changed:
        return False
    for name in changed:
        setattr(user, name, values[name])
    refresh_search_text(user)
    record(
        AuditEvent.USER_PROFILE_CHANGED,
        region=user.region,
        now=now,
        actor=user.id,
        subject=user.id,
        details={"fields": ", ".join(changed)},
    )
    db.session.flush()
    return True
