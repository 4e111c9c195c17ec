"""Sessions: who is asked of the database each time; devices are known again; ending is at once."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.auth.access_token import Claims
from terristory.auth.current_user import retrieve_user
from terristory.auth.devices import device_of_agent, device_words, tidy_device_name
from terristory.auth.models import Session
from terristory.auth.revocation import end_all_sessions, end_session, live_sessions, session_json
from terristory.auth.sessions import Visit, open_session, sign_out
from terristory.database import transaction
from terristory.extensions import db
from terristory.i18n import speaking
from terristory.mail_outbox.models import OutboxMail
from terristory.regions.models import Region
from terristory.user.models import Role, Status, User
from tests.support.people import an_account

FIREFOX = Visit("a" * 64, "Firefox sur Windows", "192.0.2.7", by_browser=True)
CHROME = Visit("b" * 64, "Chrome sur Android", "192.0.2.8", by_browser=True)
IDLE = 14 * 86400


@pytest.fixture
def user_id(clock, app):
    return an_account("jeanne@brest.test", password=None)


def the_user(user_id):
    return db.session.scalars(select(User).where(User.id == user_id)).one()


def opened(user_id, clock, visit=FIREFOX, life=timedelta(days=30)):
    with transaction():
        return open_session(the_user(user_id), visit, rotates=True, life=life, access_seconds=900, now=clock.now())


def known(user_id, session_id, clock, region="bretagne"):
    return retrieve_user(Claims(user_id, session_id, region, 0, 0), now=clock.now())


def changed(row, **values):
    with transaction():
        for name, value in values.items():
            setattr(row(), name, value)


def mails():
    return [mail.template for mail in db.session.scalars(select(OutboxMail))]


def test_a_session_says_who_is_calling_as_the_account_is_now(user_id, clock):
    session = opened(user_id, clock)
    changed(lambda: the_user(user_id), role=Role.ADMIN, prenom="Anne")
    row = known(user_id, session.session_id, clock)
    assert (row.id, row.session_id, row.role, row.prenom) == (user_id, session.session_id, "admin", "Anne")


def test_nobody_is_known_by_a_session_that_ended(user_id, clock):
    session = opened(user_id, clock)
    with transaction():
        assert end_session(user_id, session.session_id, now=clock.now())
    assert known(user_id, session.session_id, clock) is None


def test_nobody_is_known_by_a_session_over_its_life(user_id, clock):
    session = opened(user_id, clock, life=timedelta(hours=1))
    clock.move(seconds=3599)
    assert known(user_id, session.session_id, clock)
    clock.move(seconds=1)
    assert known(user_id, session.session_id, clock) is None


@pytest.mark.parametrize("status", [status for status in Status if status != Status.ACTIVE])
def test_nobody_is_known_whose_account_is_not_active(user_id, clock, status):
    session = opened(user_id, clock)
    changed(lambda: the_user(user_id), status=status)
    assert known(user_id, session.session_id, clock) is None


def test_nobody_is_known_whose_account_is_closing(user_id, clock):
    session = opened(user_id, clock)
    changed(lambda: the_user(user_id), closing_at=clock.now())
    assert known(user_id, session.session_id, clock) is None


def test_nobody_is_known_in_a_closed_region(user_id, clock):
    session = opened(user_id, clock)
    changed(lambda: db.session.get(Region, "bretagne"), is_open=False)
    assert known(user_id, session.session_id, clock) is None


def test_a_session_speaks_for_its_own_account_and_region_only(user_id, clock):
    session = opened(user_id, clock)
    other = an_account("autre@brest.test", password=None)
    assert known(other, session.session_id, clock) is None
    assert known(user_id, session.session_id, clock, region="normandie") is None
    assert known(user_id, uuid4(), clock) is None


def test_the_replaced_session_of_a_device_still_speaks_to_its_end(user_id, clock):
    first = opened(user_id, clock)
    opened(user_id, clock)
    assert known(user_id, first.session_id, clock)


def test_signing_in_is_traced_and_dated(user_id, clock):
    session = opened(user_id, clock)
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.event, line.actor, line.details) == ("auth.signed_in", user_id, {"session": str(session.session_id)})
    assert the_user(user_id).last_sign_in_at == clock.now()


def test_the_first_device_is_not_announced_and_a_new_one_is(user_id, clock):
    opened(user_id, clock)
    assert mails() == []
    opened(user_id, clock, CHROME)
    assert mails() == ["auth/new_device"]
    mail = db.session.scalars(select(OutboxMail)).one()
    assert (mail.context["device"], mail.context["network"]) == ("Chrome sur Android", "192.0.2.8")


def test_a_known_device_is_not_announced_again_even_after_its_session_ended(user_id, clock):
    opened(user_id, clock)
    session = opened(user_id, clock, CHROME)
    with transaction():
        end_session(user_id, session.session_id, now=clock.now())
    opened(user_id, clock, CHROME)
    assert mails() == ["auth/new_device"]


def test_only_what_can_still_be_used_is_listed_last_signed_in_first(user_id, clock, app):
    first = opened(user_id, clock)
    clock.move(seconds=1)
    opened(user_id, clock, CHROME)
    clock.move(seconds=1)
    last = opened(user_id, clock, CHROME)
    listed = live_sessions(user_id, idle_seconds=IDLE, now=clock.now())
    assert [session.id for session in listed] == [last.session_id, first.session_id]
    with app.test_request_context():
        shown = [session_json(session, last.session_id) for session in listed]
    assert [session["current"] for session in shown] == [True, False]
    assert set(shown[0]) == {"id", "device", "network", "created_at", "last_used_at", "current"}
    assert live_sessions(user_id, idle_seconds=IDLE, now=clock.now() + timedelta(seconds=IDLE)) == []


def test_another_account_cannot_end_a_session(user_id, clock):
    session = opened(user_id, clock)
    other = an_account("autre@brest.test", password=None)
    with transaction():
        assert end_session(other, session.session_id, now=clock.now()) is False
    assert known(user_id, session.session_id, clock)


def test_all_sessions_but_one_end_replaced_ones_too(user_id, clock):
    replaced, kept, chrome = opened(user_id, clock), opened(user_id, clock), opened(user_id, clock, CHROME)
    with transaction():
        assert end_all_sessions(user_id, but=kept.session_id, now=clock.now()) == 2
    assert known(user_id, kept.session_id, clock)
    assert known(user_id, replaced.session_id, clock) is None
    assert known(user_id, chrome.session_id, clock) is None


def test_signing_out_twice_is_traced_once(user_id, clock):
    session = opened(user_id, clock)
    for expected in (True, False):
        with transaction():
            assert sign_out("bretagne", user_id, session.session_id, now=clock.now()) is expected
    assert db.session.scalars(select(AuditLine.event)).all() == ["auth.signed_in", "auth.signed_out"]


def test_of_two_sign_ins_of_a_device_at_once_one_session_holds_the_slot(user_id, clock, app):
    gate = threading.Barrier(6)

    def sign_in():
        with app.app_context():
            gate.wait()
            opened(user_id, clock)

    threads = [threading.Thread(target=sign_in) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = db.session.scalars(select(Session)).all()
    assert (len(rows), sum(row.replaced_at is None for row in rows)) == (6, 1)


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{WINDOWS} Gecko/20100101 Firefox/128.0", "Firefox sur Windows"),
        (f"{WINDOWS} AppleWebKit/537.36 Chrome/126.0 Safari/537.36", "Chrome sur Windows"),
        (f"{WINDOWS} AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge sur Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1",
            "Safari sur iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome sur Android"),
        ("curl/8.5", "Appareil inconnu"),
        ("<b>Firefox/1</b>", "Firefox"),
        ("", "Appareil inconnu"),
    ],
)
def test_a_device_is_kept_in_french_words_whoever_signs_in(agent, words):
    assert device_of_agent(agent) == words


@pytest.mark.parametrize(
    ("kept", "french", "english"),
    [
        ("Firefox sur Windows", "Firefox sur Windows", "Firefox on Windows"),
        ("Samsung Internet sur Android", "Samsung Internet sur Android", "Samsung Internet on Android"),
        ("Chrome on macOS", "Chrome sur macOS", "Chrome on macOS"),
        ("Appareil inconnu", "Appareil inconnu", "Unknown device"),
        ("Unknown device", "Appareil inconnu", "Unknown device"),
        ("", "Appareil inconnu", "Unknown device"),
        ("Safari", "Safari", "Safari"),
        ("poste sur Windows", "poste sur Windows", "poste sur Windows"),
        ("Firefox sur Windows du bureau", "Firefox sur Windows du bureau", "Firefox sur Windows du bureau"),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_device_is_told_in_the_language_of_its_reader_and_a_given_name_as_it_is(app, kept, french, english):
    with app.test_request_context():
        for langue, words in (("fr", french), ("en", english)):
            with speaking(langue):
                assert device_words(kept) == words


@pytest.mark.parametrize(
    ("name", "kept"),
    [("  poste du bureau ", "poste du bureau"), ("a\x00b\ud800\n", "ab"), ("x" * 300, "x" * 100), (3, ""), (None, "")],
)
def test_the_name_a_client_gives_is_made_printable_and_short(name, kept):
    assert tidy_device_name(name) == kept
