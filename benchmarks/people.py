"""The people of the benchmark: as many accounts as its peers have, all with one password."""

import json
from datetime import datetime
from typing import Any
from uuid import uuid4

import click
from flask import current_app
from sqlalchemy import insert

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.operations.prepare import prepare
from terristory.passwords.hashing import hash_password
from terristory.user.mail_address import folded
from terristory.user.models import Role, Status, User

ACCOUNTS = 10_000
# So many different people sign in.
PEOPLE = 64
REGION = "bretagne"
PASSWORD = "moulin orage boussole 3 tiroirs"


def mail_of(number: int) -> str:
    """Return the address of one of them."""
    return f"user{number}@example.org"


def sign_in_bodies() -> list[str]:
    """Return the JSON bodies with which they sign in."""
    return [json.dumps({"login": mail_of(number), "password": PASSWORD}) for number in range(PEOPLE)]


def row_of(number: int, password_hash: str, now: datetime) -> dict[str, Any]:
    """Return one of them as a row of its table."""
    return {
        "id": uuid4(),
        "region": REGION,
        "mail": mail_of(number),
        "mail_canonical": mail_of(number),
        "prenom": "Camille",
        "nom": f"Essai {number}",
        "organisation": "Banc d'essai",
        "fonction": "",
        "territoire": "",
        "motif": "",
        "langue": "fr",
        "role": Role.USER,
        "status": Status.ACTIVE,
        "password_hash": password_hash,
        "created_at": now,
        "confirmed_at": now,
        "decided_at": now,
        "search_text": folded("Camille", f"Essai {number}", mail_of(number), "Banc d'essai"),
    }


@click.command("fill")
def fill() -> None:
    """Prepare an empty database and add the people."""
    prepare(current_app.config["SETTINGS"])
    password_hash, now = hash_password(PASSWORD), utc_now()
    with transaction():
        db.session.execute(insert(User), [row_of(number, password_hash, now) for number in range(ACCOUNTS)])
