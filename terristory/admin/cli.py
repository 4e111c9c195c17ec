"""Commands on accounts: create-user, users list|activate|refuse|disable|enable|role|regenerate-password."""

from collections.abc import Callable
from uuid import UUID

import click
from flask import Flask
from flask.cli import AppGroup

from terristory.admin import decisions, ways_in
from terristory.admin.create_account import Person, create_account
from terristory.admin.desk import Question, every_user
from terristory.admin.errors import MailTaken
from terristory.admin.outcomes import Already, Conflict, Done, Outcome
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.regions.lookup import find_region
from terristory.regions.models import Region
from terristory.user.forms import MOST_NAME, is_person_name
from terristory.user.lookup import find_by_mail
from terristory.user.mail_address import BadMailAddress, canonical_or_blank
from terristory.user.models import Role, Status
from terristory.web.base_form import has_unprintable, tidy
from terristory.web.request_id import begin_request_id
from terristory.web.settings_in_force import settings_in_force

users = AppGroup("users", help="The accounts of a region: list them, decide on them.")
region_option = click.option("--region", "region_key", required=True, help="Key of the region, such as bretagne.")
mail_option = click.option("--mail", required=True, help="Address of the account.")
CONFLICTS = {
    "last_admin": "This is the last active administrator of the region: name another one first.",
    "user_unconfirmed": "The address is not confirmed yet: add --unconfirmed to activate it all the same.",
    "user_disabled": "The account is disabled: use `users enable`.",
    "user_not_awaiting": "The request does not wait for a decision any more.",
    "user_not_active": "The account is not active.",
    "user_not_disabled": "The account is not disabled.",
}


def add_commands(app: Flask) -> None:
    """Add `create-user` and the `users` commands to `flask`."""
    app.cli.add_command(users)
    app.cli.add_command(create_user)


@click.command("create-user")
@region_option
@click.option("--mail", required=True, help="Address: the account signs in with it.")
@click.option("--prenom", required=True)
@click.option("--nom", required=True)
@click.option("--organisation", default="", help="Default: the name of the region.")
@click.option("--admin", is_flag=True, help="An administrator of the region.")
@click.option("--inactive", is_flag=True, help="Leave the account waiting for an administrator's decision.")
@click.option("--send-mail", is_flag=True, help="Mail the temporary password instead of printing it.")
def create_user(
    region_key: str, mail: str, prenom: str, nom: str, organisation: str, admin: bool, inactive: bool, send_mail: bool
) -> None:
    """Create an account with a temporary password, printed alone on a line unless mailed."""
    if inactive and send_mail:
        raise click.ClickException("--inactive makes no password to mail: use one or the other.")
    begin_request_id()
    region = _region(region_key)
    person = Person(
        prenom=_name("--prenom", prenom),
        nom=_name("--nom", nom),
        mail=mail.strip(),
        organisation=_text("--organisation", organisation or region.nom, 200),
    )
    role = Role.ADMIN if admin else Role.USER
    life_seconds = settings_in_force().invitation_seconds
    try:
        with transaction():
            created = create_account(
                region_key,
                person,
                role=role,
                active=not inactive,
                send_mail=send_mail,
                life_seconds=life_seconds,
                now=utc_now(),
            )
            identity = f"{created.user.mail} ({created.user.role}, {created.user.status})"
    except BadMailAddress:
        raise click.ClickException("--mail must be a mail address.") from None
    except MailTaken:
        raise click.ClickException("The region has an account of that address already.") from None
    click.echo(f"Created in {region_key}: {identity}.", err=True)
    if created.temporary_password is None:
        return
    if send_mail:
        click.echo("The temporary password goes by mail.", err=True)
        return
    hours = life_seconds // 3600
    click.echo(f"Temporary password, good once, for {hours} hours, shown only here:", err=True)
    click.echo(created.temporary_password)


@users.command("list")
@region_option
@click.option("--mail", help="Only the account of this address.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only accounts in this state.")
@click.option("--role", type=click.Choice([role.value for role in Role]), help="Only accounts of this role.")
def list_users(region_key: str, mail: str | None, status: str | None, role: str | None) -> None:
    """List accounts, one a line: address, status, role, first name, name, organisation, date of the request."""
    _region(region_key)
    wanted = canonical_or_blank(mail) if mail is not None else None
    for user in every_user(region_key, Question(Status(status) if status else None, sort="created_at")):
        if (wanted is None or user.mail_canonical == wanted) and (role is None or user.role == role):
            day = user.created_at.date().isoformat()
            click.echo("\t".join((user.mail, user.status, user.role, user.prenom, user.nom, user.organisation, day)))


@users.command("activate")
@region_option
@mail_option
@click.option("--unconfirmed", is_flag=True, help="Also when the address is not confirmed.")
def activate(region_key: str, mail: str, unconfirmed: bool) -> None:
    """Let a person in; who has no password yet gets a temporary one by mail."""
    life_seconds = settings_in_force().invitation_seconds
    _decide(
        region_key,
        mail,
        lambda user_id: decisions.activate(
            region_key, user_id, actor=None, unconfirmed=unconfirmed, life_seconds=life_seconds, now=utc_now()
        ),
    )


@users.command("refuse")
@region_option
@mail_option
@click.option("--reason", required=True, help="Sent to the applicant.")
def refuse(region_key: str, mail: str, reason: str) -> None:
    """Refuse a request."""
    words = _text("--reason", reason, 1000)
    _decide(
        region_key, mail, lambda user_id: decisions.refuse(region_key, user_id, actor=None, reason=words, now=utc_now())
    )


@users.command("disable")
@region_option
@mail_option
def disable(region_key: str, mail: str) -> None:
    """Disable an account and end its sessions."""
    _decide(region_key, mail, lambda user_id: decisions.disable(region_key, user_id, actor=None, now=utc_now()))


@users.command("enable")
@region_option
@mail_option
def enable(region_key: str, mail: str) -> None:
    """Enable a disabled account again."""
    _decide(region_key, mail, lambda user_id: decisions.enable(region_key, user_id, actor=None, now=utc_now()))


@users.command("role")
@region_option
@mail_option
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
def role_of(region_key: str, mail: str, role: str) -> None:
    """Make an administrator, or an administrator a user."""
    _decide(
        region_key,
        mail,
        lambda user_id: decisions.change_role(region_key, user_id, Role(role), actor=None, now=utc_now()),
    )


@users.command("regenerate-password")
@region_option
@mail_option
def regenerate_password(region_key: str, mail: str) -> None:
    """Mail a temporary password to an active account."""
    settings = settings_in_force()
    _decide(
        region_key,
        mail,
        lambda user_id: ways_in.regenerate_password_of(
            region_key,
            user_id,
            actor=None,
            life_seconds=settings.temporary_password_seconds,
            rate_limits=settings.rate_limits,
            now=utc_now(),
        ),
    )


def _decide(region_key: str, mail: str, decision: Callable[[UUID], Outcome]) -> None:
    begin_request_id()
    _region(region_key)
    user = find_by_mail(region_key, canonical_or_blank(mail))
    if user is None:
        raise click.ClickException(f"{region_key} has no account of that address.")
    user_id = user.id
    with transaction():
        outcome = decision(user_id)
        said = _said(outcome)
    if isinstance(outcome, Conflict):
        raise click.ClickException(CONFLICTS.get(outcome.code, outcome.code) + f" ({outcome.code})")
    click.echo(said)


def _said(outcome: Outcome) -> str:
    match outcome:
        case Done(user):
            return f"Done: {user.mail} is {user.status}, {user.role}."
        case Already(user):
            return f"Nothing to do: {user.mail} is {user.status}, {user.role}."
        case _:
            return "Nothing done."


def _region(key: str) -> Region:
    region = find_region(key)
    if region is None:
        raise click.ClickException("Unknown region. `flask --app wsgi regions list` names them all.")
    return region


def _text(option: str, value: str, most: int) -> str:
    text = tidy(value) or ""
    if not text or len(text) > most or has_unprintable(text):
        raise click.ClickException(f"{option} must be printable text of 1 to {most} characters.")
    return text


def _name(option: str, value: str) -> str:
    text = _text(option, value, MOST_NAME)
    if not is_person_name(text):
        raise click.ClickException(f"{option} must be letters, spaces, apostrophes, hyphens and full stops.")
    return text
