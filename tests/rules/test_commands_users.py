"""The commands on accounts, as an operator types them."""

import json

import pytest
from sqlalchemy import select

from terristory.audit.models import AuditLine
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.lookup import find_by_mail
from terristory.user.models import Role, Status
from tests.support.people import an_account, bearer_of

WHO = ["--region", "bretagne", "--mail", "jeanne@brest.test"]
NAMES = ["--prenom", "Jeanne", "--nom", "Martin"]


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()

    def run(*words: str):
        result = runner.invoke(args=list(words))
        db.session.expire_all()
        return result

    return run


def jeanne():
    return find_by_mail("bretagne", "jeanne@brest.test")


def test_create_user_prints_a_password_that_signs_in(run, client):
    result = run("create-user", *WHO, *NAMES, "--admin")
    assert result.exit_code == 0, result.output
    password = result.stdout.strip()
    assert password.isalnum() and len(password) == 16
    assert (jeanne().role, jeanne().status, jeanne().password_hash) == ("admin", "active", None)
    assert bearer_of(client, "jeanne@brest.test", password=password)


def test_create_user_mails_an_invitation_instead_of_printing(run):
    result = run("create-user", *WHO, *NAMES, "--organisation", "Brest métropole", "--send-mail")
    mail = db.session.scalar(select(OutboxMail).where(OutboxMail.template == "admin/invitation"))
    assert mail.recipient == "jeanne@brest.test" and mail.sealed
    assert result.stdout == ""


def test_create_user_can_leave_the_account_waiting(run):
    assert run("create-user", *WHO, *NAMES, "--inactive").stdout == ""
    assert jeanne().status == "awaiting"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--region", "atlantide", "--mail", "a@b.test", *NAMES], "Unknown region"),
        (["--region", "bretagne", "--mail", "nothing", *NAMES], "--mail must be"),
        ([*WHO, "--prenom", "", "--nom", "Martin"], "--prenom must be"),
        ([*WHO, "--prenom", "Jeanne", "--nom", "<b>Martin</b>"], "--nom must be letters"),
        ([*WHO, *NAMES, "--inactive", "--send-mail"], "--inactive"),
    ],
)
def test_create_user_says_what_is_wrong(run, words, said):
    result = run("create-user", *words)
    assert result.exit_code == 1
    assert said in result.output


def test_create_user_never_makes_a_second_account(run):
    an_account("Jeanne@brest.test")
    result = run("create-user", *WHO, *NAMES)
    assert (result.exit_code, "already" in result.output) == (1, True)


def test_decisions_are_taken_in_nobodys_name(run):
    an_account("jeanne@brest.test", status=Status.AWAITING)
    assert run("users", "activate", *WHO).exit_code == 0
    assert "Nothing to do" in run("users", "activate", *WHO).output
    line = db.session.scalar(select(AuditLine).where(AuditLine.event == "user.activated"))
    assert line.actor is None and line.request_id


@pytest.mark.parametrize(
    ("words", "before", "after"),
    [
        (["refuse", "--reason", "Hors de la région."], Status.AWAITING, "refused"),
        (["disable"], Status.ACTIVE, "disabled"),
        (["enable"], Status.DISABLED, "active"),
        (["regenerate-password"], Status.ACTIVE, "active"),
    ],
)
def test_each_decision_has_its_command(run, words, before, after):
    an_account("jeanne@brest.test", status=before)
    result = run("users", words[0], *WHO, *words[1:])
    assert result.exit_code == 0, result.output
    assert jeanne().status == after


def test_a_role_is_given_by_command(run):
    an_account("jeanne@brest.test")
    assert run("users", "role", *WHO, "--role", "admin").exit_code == 0
    assert jeanne().role == "admin"


@pytest.mark.parametrize(
    ("words", "status", "role", "code"),
    [
        (["activate"], Status.UNCONFIRMED, Role.USER, "user_unconfirmed"),
        (["activate"], Status.DISABLED, Role.USER, "user_disabled"),
        (["disable"], Status.AWAITING, Role.USER, "user_not_active"),
        (["disable"], Status.ACTIVE, Role.ADMIN, "last_admin"),
        (["role", "--role", "user"], Status.ACTIVE, Role.ADMIN, "last_admin"),
        (["enable"], Status.AWAITING, Role.USER, "user_not_disabled"),
        (["regenerate-password"], Status.AWAITING, Role.USER, "user_not_active"),
    ],
)
def test_a_conflict_ends_in_failure_with_its_code(run, words, status, role, code):
    an_account("jeanne@brest.test", status=status, role=role)
    result = run("users", words[0], *WHO, *words[1:])
    assert result.exit_code == 1
    assert code in result.output


def test_an_unknown_address_ends_in_failure(run):
    result = run("users", "activate", *WHO)
    assert (result.exit_code, "no account" in result.output) == (1, True)


def test_the_list_filters(run):
    an_account("jeanne@brest.test", status=Status.AWAITING)
    an_account("paul@brest.test", role=Role.ADMIN)
    assert run("users", "list", "--region", "bretagne").output.count("\n") == 2
    assert "paul" not in run("users", "list", "--region", "bretagne", "--status", "awaiting").output
    assert "jeanne" not in run("users", "list", "--region", "bretagne", "--role", "admin").output
    assert run("users", "list", *WHO).output.startswith("jeanne@brest.test\tawaiting\tuser\t")


def test_the_trail_is_exported_as_lines_of_json_and_says_so_itself(run):
    an_account("jeanne@brest.test", status=Status.AWAITING)
    run("users", "activate", *WHO)
    lines = [json.loads(line) for line in run("audit", "export", "--region", "bretagne").output.splitlines()]
    assert [line["event"] for line in lines] == ["user.activated", "audit.exported"]
    assert "jeanne" not in json.dumps(lines)
