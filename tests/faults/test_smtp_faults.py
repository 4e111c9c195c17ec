"""Mail against a real mail server that is down, refuses, is silent, breaks off or cannot be trusted."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox import delivery
from terristory.mail_outbox.delivery import claim, deliver_due
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.settings import PROJECT_ROOT
from tests.support.clock import Clock
from tests.support.environment import EMPTY_SETTINGS, SMTP_PASSWORD, service_environment
from tests.support.smtp import MailServer, running_mail_server

MakeApp = Callable[..., Flask]
SECRET = "k7wq4m2xr9htc3vn"
TO = "jeanne@brest.example"


def a_mail(to: str = TO) -> UUID:
    """Put a mail with a secret in the outbox, committed."""
    context = {"prenom": "Jeanne", "life_seconds": 3600}
    secrets = {"temporary_password": SECRET}
    with transaction():
        return put_in_outbox(
            MailMessage("bretagne", to, "fr", "password_change/temporary_password", context, secrets), now=utc_now()
        )


def row(mail_id: UUID) -> OutboxMail:
    """The row as it is in the database now."""
    db.session.expire_all()
    return db.session.get_one(OutboxMail, mail_id)


def test_a_mail_leaves_once_whole_and_its_secret_is_wiped(make_app: MakeApp, mail_server: MailServer) -> None:
    app = make_app(SMTP_URL=mail_server.url, MAIL_FROM="TerriSTORY <compte@terristory.example>")
    with app.app_context():
        mail_id = a_mail()
        assert SECRET not in f"{row(mail_id).sealed}{row(mail_id).context}"
        assert deliver_due(app, clock=utc_now) == 1
        assert deliver_due(app, clock=utc_now) == 0
        sent = row(mail_id)
        assert (sent.state, sent.sealed, sent.context, sent.leased_until) == (MailState.SENT, None, {}, None)
        assert sent.sent_at is not None
    [received] = mail_server.messages
    assert received.recipients == (TO,)
    assert received.sender == "compte@terristory.example"
    message = received.message
    assert message["Subject"] == "[TerriSTORY Bretagne] Votre mot de passe provisoire"
    assert message["Message-ID"] == sent.message_id
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    assert abs(parsedate_to_datetime(message["Date"]) - sent.sent_at) < timedelta(seconds=10)
    assert f"\n{SECRET}\n" in received.part("plain").replace("\r\n", "\n")
    assert SECRET in received.part("html")


def test_a_mail_waits_while_the_server_is_down_and_leaves_later(
    make_app: MakeApp, mail_server: MailServer, clock: Clock
) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.stop()
    with app.app_context():
        mail_id = a_mail()
        assert deliver_due(app, clock=clock.now) == 0
        waiting = row(mail_id)
        assert (waiting.state, waiting.attempts, waiting.last_attempt_at) == (MailState.PENDING, 1, clock.now())
        assert timedelta(seconds=4) <= waiting.next_attempt_at - clock.now() <= timedelta(seconds=6)
        mail_server.start()
        assert deliver_due(app, clock=clock.now) == 0
        clock.move(seconds=7)
        assert deliver_due(app, clock=clock.now) == 1
        assert row(mail_id).last_attempt_at == clock.now()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_an_answer_that_asks_to_come_back_is_heeded(
    make_app: MakeApp, mail_server: MailServer, step: str, clock: Clock
) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.answer("451 4.7.1 Greylisted", at=step)  # type: ignore[arg-type]
    with app.app_context():
        mail_id = a_mail()
        assert deliver_due(app, clock=clock.now) == 0
        assert row(mail_id).state == MailState.PENDING
        assert "451" in row(mail_id).last_error
        clock.move(seconds=7)
        assert deliver_due(app, clock=clock.now) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_a_final_refusal_gives_the_mail_up_aloud_and_wipes_its_secret(
    make_app: MakeApp, mail_server: MailServer, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.answer("550 5.1.1 No such mailbox", at=step)  # type: ignore[arg-type]
    with app.app_context():
        refused, other = a_mail(), None
        assert deliver_due(app, clock=utc_now) == 0
        dead = row(refused)
        assert (dead.state, dead.sealed, dead.context) == (MailState.DEAD, None, {})
        assert "550" in dead.last_error
        other = a_mail()
        assert deliver_due(app, clock=utc_now) == 1
        assert row(other).state == MailState.SENT
    assert [record.levelname for record in caplog.records if "given up" in record.message] == ["ERROR"]
    assert TO not in caplog.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mail_is_given_up_after_three_days(make_app: MakeApp, mail_server: MailServer, clock: Clock) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.stop()
    with app.app_context():
        mail_id = a_mail()
        for _ in range(40):
            deliver_due(app, clock=clock.now)
            if row(mail_id).state == MailState.DEAD:
                break
            assert row(mail_id).sealed is not None
            clock.move(seconds=5 * 3600)
        dead = row(mail_id)
        assert (dead.state, dead.sealed) == (MailState.DEAD, None)
        assert timedelta(days=3) <= clock.now() - dead.created_at <= timedelta(days=3, hours=6)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_silent_server_holds_the_worker_for_a_bounded_time(
    make_app: MakeApp, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SMTP_SECONDS", 0.5)
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.silence(3)
    with app.app_context():
        mail_id = a_mail()
        begun = utc_now()
        assert deliver_due(app, clock=utc_now) == 0
        assert utc_now() - begun < timedelta(seconds=2.5)
        assert row(mail_id).state == MailState.PENDING


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_lost_acknowledgement_makes_one_duplicate_with_the_same_id(
    make_app: MakeApp, mail_server: MailServer, clock: Clock
) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.drop_after_data()
    with app.app_context():
        mail_id = a_mail()
        assert deliver_due(app, clock=clock.now) == 0
        clock.move(seconds=7)
        assert deliver_due(app, clock=clock.now) == 1
        assert row(mail_id).state == MailState.SENT
    first, second = mail_server.messages
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert SECRET in second.part("plain")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_login_is_only_given_to_a_server_whose_certificate_is_right(
    make_app: MakeApp, security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    with running_mail_server(security, login=("terristory", SMTP_PASSWORD)) as server:  # type: ignore[arg-type]
        app = make_app(SMTP_URL=server.url)
        # trustme's certificates begin at the present moment of this process.
        with app.app_context():
            mail_id = a_mail()
            assert deliver_due(app, clock=clock.now) == 0
            assert row(mail_id).state == MailState.PENDING
            assert "CERTIFICATE_VERIFY_FAILED" in row(mail_id).last_error
            assert server.messages == []
            monkeypatch.setenv("SSL_CERT_FILE", str(server.trusted_authorities(tmp_path)))
            clock.move(seconds=7)
            assert deliver_due(app, clock=clock.now) == 1
        [received] = server.messages
        assert received.encrypted
        assert received.user == "terristory"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_mail_that_cannot_be_written_does_not_block_the_others(make_app: MakeApp, mail_server: MailServer) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    with app.app_context():
        with transaction():
            broken = put_in_outbox(MailMessage("bretagne", TO, "fr", "user/nowhere", {"prenom": "J"}), now=utc_now())
        good = a_mail()
        assert deliver_due(app, clock=utc_now) == 1
        assert row(broken).state == MailState.DEAD
        assert "TemplateNotFound" in row(broken).last_error
        assert row(good).state == MailState.SENT


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: c@evil.example", "a@b.example\nX: y"])
def test_an_address_with_a_line_break_never_leaves(make_app: MakeApp, mail_server: MailServer, address: str) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    with app.app_context():
        mail_id = a_mail(address)
        assert deliver_due(app, clock=utc_now) == 0
        assert row(mail_id).state == MailState.DEAD
    assert mail_server.messages == []


def test_a_claim_holds_until_its_lease_is_over(app: Flask, clock: Clock) -> None:
    mail_id = a_mail()
    first = claim(now=clock.now())
    assert first is not None
    assert first.id == mail_id
    assert claim(now=clock.now()) is None
    clock.move(seconds=delivery.LEASE.total_seconds())
    again = claim(now=clock.now())
    assert again is not None
    assert (again.id, again.attempts) == (mail_id, 2)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_mail_server_in_the_settings_mails_stay_readable(app: Flask) -> None:
    mail_id = a_mail()
    assert deliver_due(app, clock=utc_now) == 0
    assert (row(mail_id).state, row(mail_id).attempts) == (MailState.PENDING, 0)
    assert row(mail_id).sealed is not None


def test_two_workers_never_send_the_same_mail(make_app: MakeApp, mail_server: MailServer, database: object) -> None:
    settings = service_environment(DATABASE_URL=database.url, SMTP_URL=mail_server.url)  # type: ignore[attr-defined]
    app = make_app(SMTP_URL=mail_server.url)
    with app.app_context():
        for number in range(16):
            a_mail(f"person{number}@brest.example")
        db.session.remove()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "mail", "deliver"]
    environment = {**EMPTY_SETTINGS, **settings, "PATH": "/usr/bin:/bin"}
    workers = [
        subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [worker.communicate(timeout=90) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    recipients = sorted(received.recipients for received in mail_server.messages)
    assert recipients == sorted((f"person{number}@brest.example",) for number in range(16))
