"""Other services that do the same two things, measured beside ours: `make bench PEERS=<folder>`.

The folder holds a folder for each, with a `run.sh` that builds it and serves on `PORT`, and is copied before.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from benchmarks.goals import Figure
from benchmarks.load import read, sign_in
from benchmarks.measure import Subject, in_turn
from benchmarks.people import PEOPLE
from terristory.settings import PROJECT_ROOT
from tests.support.components import Child, free_port, wait_until

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PASSWORD = "hunter2!"
WORKERS = 2
# The first start builds the environment and the accounts.
BUILDING_SECONDS = 240


@dataclass(frozen=True)
class Peer:
    """How one of them is asked. `header` makes the header of `me` from the answer of a sign-in."""

    name: str
    folder: str
    sign_in: str
    body: Callable[[str, int], str]
    me: str
    header: Callable[[Any], dict[str, str]]
    content_type: str = JSON
    environment: Mapping[str, str] = field(default_factory=dict)

    def bodies(self) -> list[str]:
        """Return the bodies with which as many people sign in as with us."""
        return [self.body(f"user{number}@example.org", number) for number in range(PEOPLE)]


def _email_and_password(mail: str, _number: int) -> str:
    return json.dumps({"email": mail, "password": PASSWORD})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


PEERS = (
    Peer(
        "Flask-Security",
        "flask_security",
        "/login?include_auth_token",
        _email_and_password,
        "/me",
        lambda answer: {"Authentication-Token": answer["response"]["user"]["authentication_token"]},
    ),
    Peer(
        "fastapi-users",
        "fastapi_users",
        "/auth/login",
        lambda mail, _number: urlencode({"username": mail, "password": PASSWORD}),
        "/users/me",
        lambda answer: _bearer(answer["access_token"]),
        content_type=FORM,
    ),
    Peer(
        "allauth session",
        "allauth",
        "/_allauth/app/v1/auth/login",
        _email_and_password,
        "/_allauth/app/v1/auth/session",
        lambda answer: {"X-Session-Token": answer["meta"]["session_token"]},
    ),
    Peer(
        "allauth JWT",
        "allauth",
        "/_allauth/app/v1/auth/login",
        _email_and_password,
        "/me",
        lambda answer: _bearer(answer["meta"]["access_token"]),
        environment={"STRAT": "jwt"},
    ),
    Peer(
        "sanic-jwt",
        "sanic",
        "/auth",
        lambda mail, number: json.dumps({"region": f"region{number % 16}", "mail": mail, "password": PASSWORD}),
        "/auth/me",
        lambda answer: _bearer(answer["access_token"]),
    ),
)


def working_copy(given: Path) -> Path:
    """Copy the folder into `.bench/peers`, where a later run finds what an earlier one built, and return that one.

    A peer whose requirements have changed is built anew. Raises FileNotFoundError when the folder is not there.
    """
    if not given.is_dir():
        raise FileNotFoundError(f"{given} is no folder")
    copy = PROJECT_ROOT / ".bench" / "peers"
    for source in sorted(path for path in given.iterdir() if (path / "run.sh").is_file()):
        target = copy / source.name
        asked, built = source / "requirements.txt", target / "requirements.txt"
        if target.exists() and not (built.exists() and built.read_bytes() == asked.read_bytes()):
            shutil.rmtree(target)
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".venv", ".seeded", "*.db*"))
    return copy


@contextmanager
def running(peer: Peer, copies: Path, logs: Path) -> Iterator[str]:
    """Run a peer for the time of a `with`, and give its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ours = ("TERRISTORY_", "VIRTUAL_ENV", "DB", "PGPORT", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    child = Child(
        ["/bin/sh", copies / peer.folder / "run.sh"],
        logs / f"{peer.folder}-{port}.log",
        env={**inherited, **peer.environment, "PORT": str(port), "WORKERS": str(WORKERS)},
    )
    try:
        child.wait_until_ready(lambda: _answers(url + "/hello"), seconds=BUILDING_SECONDS)
        yield url
    finally:
        child.stop()
        wait_until(lambda: not _answers(url + "/hello"), what=f"{peer.name} has ended")


def beside(peer: Peer, copies: Path, logs: Path, subject: Subject) -> dict[str, Figure]:
    """Measure `me` and sign-in of both in turn; return our rate by that of the peer, by the keys of the goals."""
    with running(peer, copies, logs) as url:
        bodies = peer.bodies()
        answer = requests.post(
            url + peer.sign_in, data=bodies[0], headers={"Content-Type": peer.content_type}, timeout=30
        )
        answer.raise_for_status()
        header = peer.header(answer.json())
        return {
            "peer-me": in_turn(subject.me, lambda: read(url + peer.me, header)),
            "peer-sign-in": in_turn(subject.sign_in, lambda: sign_in(url + peer.sign_in, bodies, peer.content_type)),
        }


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False
