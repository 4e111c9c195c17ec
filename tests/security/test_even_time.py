"""The time of an answer tells nothing of an address: medians of known and unknown ones, asked in turn."""

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from terristory.passwords.hashing import configure_hashing
from terristory.user.models import Status
from terristory.web import even_time
from tests.support.captcha import solved_captcha
from tests.support.environment import PASSWORD
from tests.support.people import an_account
from tests.support.requests_for_accounts import ANSWERS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
SAMPLES = 60
MOST_APART = 0.10
KNOWN = {status: f"{status}@brest.test" for status in (Status.ACTIVE, Status.AWAITING)}
_strangers = count()


@pytest.fixture
def client(unlimited, monkeypatch):
    monkeypatch.setattr(even_time, "LEAST_SECONDS", 0.05)
    for status, mail in KNOWN.items():
        an_account(mail, status=status)
    return unlimited


@pytest.fixture
def true_hashing() -> Iterator[None]:
    configure_hashing(memory_kib=19456, time_cost=2, threads=4, waiters=64)
    yield
    configure_hashing(memory_kib=64, time_cost=1, threads=4, waiters=64)


def a_stranger() -> str:
    return f"inconnu{next(_strangers)}@brest.test"


def medians(prepare: Callable[[str], Callable[[], object]]) -> dict[str, float]:
    """Ask in turn for somebody active, somebody awaiting and a stranger; only the answer itself is timed."""
    times: dict[str, list[float]] = {"unknown": [], **{status: [] for status in KNOWN}}
    for turn in range(SAMPLES + 5):
        for who, mail in [*KNOWN.items(), ("unknown", a_stranger())]:
            ask = prepare(mail)
            began = time.perf_counter()
            ask()
            if turn >= 5:
                times[who].append(time.perf_counter() - began)
    return {who: statistics.median(of_one) for who, of_one in times.items()}


def assert_alike(prepare: Callable[[str], Callable[[], object]]) -> dict[str, float]:
    """Measure up to three times: what others do on this machine passes, a difference of ours stays."""
    for _try in range(3):
        found = medians(prepare)
        if max(found.values()) <= min(found.values()) * (1 + MOST_APART):
            return found
    raise AssertionError(found)


def test_asking_for_an_account_takes_the_same_time(client):
    def prepare(mail):
        captcha = solved_captcha(client, "bretagne", "create_user")
        body = {**ANSWERS, "mail": mail, "information_lue": True, "captcha": captcha}
        return lambda: client.post("/api/bretagne/user", json=body)

    found = assert_alike(prepare)
    assert min(found.values()) >= even_time.LEAST_SECONDS


@pytest.mark.parametrize(
    ("path", "form"), [("/user/password/regenerate", "regenerate_password"), ("/user/confirm/resend", "confirm")]
)
def test_asking_for_a_mail_takes_the_same_time(client, path, form):
    def prepare(mail):
        body = {"mail": mail, "captcha": solved_captcha(client, "bretagne", form)}
        return lambda: client.post(f"/api/bretagne{path}", json=body)

    assert_alike(prepare)


def test_a_change_of_address_takes_the_same_time(client):
    an_account("moi@brest.test")
    signed = client.post("/api/bretagne/auth", json={"login": "moi@brest.test", "password": PASSWORD}).get_json()
    bearer = {"Authorization": f"Bearer {signed['access_token']}"}

    def prepare(mail):
        body = {"mail": mail, "password": PASSWORD}
        return lambda: client.post("/api/bretagne/user/mail", json=body, headers=bearer)

    assert_alike(prepare)


@pytest.mark.usefixtures("true_hashing")
def test_a_wrong_password_takes_the_same_time(client):
    """Nothing is evened out here: one Argon2 verification and the same statements, whoever is asked for."""

    def prepare(mail):
        body = {"login": mail, "password": "fausse clef 12 moulins"}
        return lambda: client.post("/api/bretagne/auth", json=body)

    assert_alike(prepare)
