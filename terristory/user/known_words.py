"""What an attacker knows about the owner of an account: no password may be made of it."""

from terristory.regions.models import Region
from terristory.user.models import User


def words_about(user: User, region: Region) -> list[str]:
    """Return the names, address, organisation and region of an account, for `passwords.policy`."""
    return [user.prenom, user.nom, user.mail, user.organisation, region.key, region.nom]
