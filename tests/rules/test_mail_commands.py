"""What an operator does with mail: look, find what is stuck, try again, test the server."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.settings import PROJECT_ROOT
from tests.support.environment import EMPTY_SETTINGS, service_environment
from tests.support.smtp import MailServer

PASSWORD = "k7wq4m2xr9htc3vn"
MakeApp = Callable[..., Flask]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def a_mail(*, secret: bool = True) -> UUID:
    """Put a mail in the outbox, with a secret or without one."""
    template = "password_change/temporary_password" if secret else "admin/enabled"
    context = {"prenom": "Jeanne", "life_seconds": 3600}
    secrets = {"temporary_password": PASSWORD} if secret else {}
    with transaction():
        return put_in_outbox(
            MailMessage("bretagne", "jeanne@brest.example", "fr", template, context, secrets), now=utc_now()
        )


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run `flask mail …` and return its exit status and what it printed."""
    result = app.test_cli_runner().invoke(args=["mail", *arguments])
    return result.exit_code, result.output


def state_of(mail_id: UUID) -> str:
    db.session.expire_all()
    return db.session.get_one(OutboxMail, mail_id).state


def test_a_mail_can_be_read_before_it_leaves(app: Flask) -> None:
    mail_id = a_mail()
    status, listed = run(app, "show")
    assert status == 0
    assert str(mail_id) in listed
    assert "[TerriSTORY Bretagne] Votre mot de passe provisoire" in listed
    assert PASSWORD not in listed
    status, shown = run(app, "show", str(mail_id))
    assert status == 0
    assert "To: jeanne@brest.example\n" in shown
    assert f"\n{PASSWORD}\n" in shown
    assert run(app, "show", str(uuid4()))[0] == 1


def test_delivering_sends_and_what_left_can_no_longer_be_read(make_app: MakeApp, mail_server: MailServer) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    with app.app_context():
        mail_id = a_mail()
        assert run(app, "deliver") == (0, "sent: 1\n")
        shown = run(app, "show", str(mail_id))[1]
    assert "wiped" in shown
    assert PASSWORD not in shown


def test_a_mail_given_up_is_stuck_and_can_be_tried_again_when_it_held_no_secret(
    make_app: MakeApp, mail_server: MailServer
) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.answer("550 no", at="RCPT", times=2)
    with app.app_context():
        assert run(app, "stuck") == (0, "")
        open_one, secret_one = a_mail(secret=False), a_mail()
        run(app, "deliver")
        status, listed = run(app, "stuck")
        assert status == 1
        assert str(open_one) in listed
        assert str(secret_one) in listed
        status, said = run(app, "retry", "--all")
        assert status == 1
        assert f"{open_one}  due now" in said
        assert f"{secret_one}  its secret was wiped" in said
        assert run(app, "deliver") == (0, "sent: 1\n")
        assert (state_of(open_one), state_of(secret_one)) == (MailState.SENT, MailState.DEAD)
        assert "has left already" in run(app, "retry", str(open_one))[1]


def test_a_mail_that_waits_can_be_tried_at_once(make_app: MakeApp, mail_server: MailServer) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    mail_server.answer("451 later")
    with app.app_context():
        mail_id = a_mail()
        assert run(app, "deliver") == (0, "sent: 0\n")
        assert run(app, "retry", str(mail_id)) == (0, f"{mail_id}  due now\n")
        assert run(app, "deliver") == (0, "sent: 1\n")


def test_trying_again_wants_to_know_what(app: Flask) -> None:
    assert run(app, "retry")[0] == 2
    assert run(app, "retry", str(uuid4()))[0] == 1


def test_a_test_mail_says_what_the_server_answered(make_app: MakeApp, mail_server: MailServer) -> None:
    app = make_app(SMTP_URL=mail_server.url)
    with app.app_context():
        assert run(app, "test", "operator@terristory.example")[0] == 0
        assert mail_server.messages[0].recipients == ("operator@terristory.example",)
        mail_server.answer("550 5.7.1 not from you", at="RCPT")
        status, said = run(app, "test", "operator@terristory.example")
        assert status == 1
        assert "550 5.7.1 not from you" in said


def test_a_test_mail_without_a_server_fails(app: Flask) -> None:
    status, said = run(app, "test", "operator@terristory.example")
    assert status == 1
    assert "TERRISTORY_SMTP_URL" in said


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_sends_what_comes_and_stops_at_a_signal(
    app: Flask, database: object, mail_server: MailServer, name: signal.Signals
) -> None:
    settings = service_environment(DATABASE_URL=database.url, SMTP_URL=mail_server.url)  # type: ignore[attr-defined]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "mail", "deliver", "--forever"]
    environment = {**EMPTY_SETTINGS, **settings, "PATH": os.environ["PATH"]}
    worker = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment)
    try:
        a_mail()
        mail_server.wait_for(1, seconds=30)
        a_mail()
        mail_server.wait_for(2, seconds=10)
        worker.send_signal(name)
        assert worker.wait(timeout=15) == 0
    finally:
        if worker.poll() is None:
            worker.kill()
            worker.wait()
