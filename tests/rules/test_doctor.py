"""What the doctor sees, and whether it counts as a fault."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from terristory.clock import utc_now
from terristory.database import transaction
from terristory.extensions import db
from terristory.mail_outbox.models import MailState, OutboxMail
from terristory.mail_outbox.outbox import MailMessage, put_in_outbox
from terristory.operations.doctor import Finding, examine
from terristory.operations.prepare import database_revision, prepare
from terristory.settings import Settings, SmtpServer
from terristory.user.models import Role, Status, User
from tests.support.components import free_port
from tests.support.people import an_account
from tests.support.revision import tables_at
from tests.support.smtp import MailServer

pytestmark = pytest.mark.usefixtures("app")


def finding(settings: Settings, subject: str) -> Finding:
    """Return the worst line about a subject."""
    lines = [line for line in examine(settings, utc_now()) if line.subject == subject]
    return min(lines, key=lambda line: ["fault", "warning", "ok"].index(line.level))


def test_a_new_service_has_no_fault(settings: Settings) -> None:
    assert [line for line in examine(settings, utc_now()) if line.level == "fault"] == []


def test_a_mail_server_that_greets_is_well(settings: Settings, mail_server: MailServer) -> None:
    served = replace(settings, smtp=SmtpServer("127.0.0.1", mail_server.port, "plain"))
    assert finding(served, "mail").level == "ok"


def test_a_mail_server_that_is_not_there_is_a_fault(settings: Settings) -> None:
    served = replace(settings, smtp=SmtpServer("127.0.0.1", free_port(), "starttls", "me", "canary-password"))
    line = finding(served, "mail")
    assert line.level == "fault" and "canary" not in line.words


def test_a_mail_given_up_is_a_fault(settings: Settings) -> None:
    with transaction():
        mail_id = put_in_outbox(MailMessage("bretagne", "a@example.fr", "fr", "admin/enabled"), now=utc_now())
        db.session.flush()
        db.session.get(OutboxMail, mail_id).state = MailState.DEAD
    assert finding(settings, "outbox").level == "fault"


def test_mail_due_for_long_is_a_fault_when_there_is_a_mail_server(settings: Settings) -> None:
    with transaction():
        long_ago = utc_now() - timedelta(hours=1)
        put_in_outbox(MailMessage("bretagne", "a@example.fr", "fr", "admin/enabled"), now=long_ago)
    assert finding(settings, "outbox").level == "ok"
    served = replace(settings, smtp=SmtpServer("127.0.0.1", free_port(), "plain"))
    assert finding(served, "outbox").level == "fault"


def test_a_region_without_an_administrator_is_a_warning(settings: Settings) -> None:
    assert "no administrator" in finding(settings, "bretagne").words
    an_account("admin@example.fr", role=Role.ADMIN)
    assert "no contact" in finding(settings, "bretagne").words


def test_a_request_that_waits_for_more_than_a_week_is_a_warning(settings: Settings) -> None:
    user_id = an_account("slow@example.fr", status=Status.AWAITING)
    assert finding(settings, "requests").level == "ok"
    with transaction():
        db.session.get(User, user_id).confirmed_at = utc_now() - timedelta(days=8)
    assert finding(settings, "requests").level == "warning"


def test_a_production_without_trusted_proxies_and_a_secret_on_its_way_out_are_warnings(settings: Settings) -> None:
    exposed = replace(settings, env="production", secret_key_previous="p" * 40)
    assert finding(exposed, "proxies").level == "warning"
    assert finding(exposed, "secret").level == "warning"


def test_tables_behind_the_code_are_a_fault_and_the_command_fails(app: Flask, settings: Settings) -> None:
    with tables_at(None):
        assert finding(settings, "migrations").level == "fault"
        assert app.test_cli_runner().invoke(args=["doctor"]).exit_code == 1
    assert app.test_cli_runner().invoke(args=["doctor"]).exit_code == 0


def test_tables_that_newer_code_has_migrated_are_a_warning(app: Flask, settings: Settings) -> None:
    with tables_at("of-the-next-release"):
        assert finding(settings, "migrations").level == "warning"
        assert app.test_cli_runner().invoke(args=["doctor"]).exit_code == 0


def test_the_service_prepares_on_tables_that_newer_code_has_migrated(app: Flask, settings: Settings) -> None:
    """A step back to this release after its successor has migrated."""
    with tables_at("of-the-next-release"):
        prepare(settings)
        assert database_revision() == "of-the-next-release"


def test_a_database_that_does_not_answer_is_a_fault(make_app: Callable[..., Flask]) -> None:
    app = make_app(DATABASE_URL=f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing")
    with app.app_context():
        assert finding(app.config["SETTINGS"], "database").level == "fault"
        db.session.remove()
