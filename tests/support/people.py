"""People for tests: accounts in each role and state, and their ways in."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient

from terristory.database import transaction
from terristory.extensions import db
from terristory.passwords.hashing import hash_password
from terristory.user.mail_address import canonical_mail, folded
from terristory.user.models import Role, Status, User
from tests.support.environment import PASSWORD


def an_account(
    mail: str,
    *,
    region: str = "bretagne",
    role: Role = Role.USER,
    status: Status = Status.ACTIVE,
    password: str | None = PASSWORD,
    **more: Any,
) -> UUID:
    """Store an account, by default an active user with PASSWORD, and return its id."""
    now = datetime.now(UTC)
    hashed = hash_password(password) if password else None
    more = {"confirmed_at": None if status == Status.UNCONFIRMED else now, **more}
    person = {"prenom": "Jeanne", "nom": "Martin", "organisation": "Brest métropole", **more}
    user = User(
        region=region,
        mail=mail,
        mail_canonical=canonical_mail(mail),
        role=role,
        status=status,
        password_hash=hashed,
        created_at=now,
        search_text=folded(person["prenom"], person["nom"], mail, person["organisation"]),
        **person,
    )
    with transaction():
        db.session.add(user)
    return user.id


def bearer_of(client: FlaskClient, mail: str, *, region: str = "bretagne", password: str = PASSWORD) -> dict[str, str]:
    """Sign in over JSON and return the headers that carry the access token."""
    answer = client.post(f"/api/{region}/auth", json={"login": mail, "password": password})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
