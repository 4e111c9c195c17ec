"""An account as JSON (contract, section 2)."""

from typing import Any

from terristory.user.models import Status

_FOR_ALL = (
    "id", "prenom", "nom", "mail", "region", "organisation", "fonction", "territoire", "langue", "role", "status",
    "created_at",
)  # fmt: skip
_FOR_ADMINS = ("motif", "confirmed_at", "decided_at", "decided_by", "reason", "last_sign_in_at", "without_script")


def account_json(row: Any, *, for_admin: bool = False) -> dict[str, Any]:
    """Return the fields of an account (a User, or a row with its columns) that its owner, or an admin, may read."""
    names = _FOR_ALL + _FOR_ADMINS if for_admin else _FOR_ALL
    account = {name: getattr(row, name) for name in names}
    account["active"] = account["status"] == Status.ACTIVE
    return account
