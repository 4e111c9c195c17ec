"""Commands of the operator: serve, secret, doctor, purge, backup, restore, regions."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask, current_app
from sqlalchemy.exc import ProgrammingError

from terristory.clock import utc_now
from terristory.database import is_denied, transaction
from terristory.extensions import db
from terristory.operations.backup import BackupFailed, back_up, restore, void_what_was_open
from terristory.operations.doctor import examine
from terristory.operations.first_admin import FirstAdmin, first_admin
from terristory.operations.prepare import DatabaseBehind, migrate_to_head, prepare
from terristory.operations.purge import purge
from terristory.operations.region_commands import regions
from terristory.operations.serve import is_free, serve
from terristory.settings import Settings, generate_secret
from terristory.web.settings_in_force import settings_in_force


def add_commands(app: Flask) -> None:
    """Add the operator's commands to `flask`."""
    for command in (serve_command, secret_command, doctor_command, purge_command, backup_command, restore_command):
        app.cli.add_command(command)
    app.cli.add_command(regions)


@click.command("serve")
@click.option(
    "--web-only", is_flag=True, help="No mail worker, no migration: `mail deliver --forever` and `db upgrade`."
)
def serve_command(web_only: bool) -> None:
    """Prepare once, then run the web server and one mail worker until SIGTERM."""
    settings = settings_in_force()
    if not is_free(settings.host, settings.port):
        raise click.ClickException(f"{settings.host}:{settings.port} cannot be listened on: choose another PORT.")
    try:
        with explained_denials():
            prepare(settings, migrates=not web_only)
    except DatabaseBehind:
        raise click.ClickException("The tables are older than this code: run `db upgrade` first.") from None
    if not settings.production:
        with transaction():
            admin = first_admin(life_seconds=settings.invitation_seconds, now=utc_now())
        announce(settings, admin)
    db.session.remove()
    db.engine.dispose()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    sys.exit(serve(app, settings, delivers=not web_only))


@contextmanager
def explained_denials() -> Iterator[None]:
    """Say in one line that a database role which only serves may not do this. Raises ClickException then."""
    try:
        yield
    except ProgrammingError as error:
        if not is_denied(error):
            raise
        reason = str(error.orig).splitlines()[0]
        raise click.ClickException(
            f"{reason}. Run `db upgrade`, `purge` and `restore` as the database role that is the owner of the tables."
        ) from None


def announce(settings: Settings, admin: FirstAdmin | None) -> None:
    """Print where the service is and, until a password was chosen, how the first administrator signs in."""
    base = settings.public_url
    if admin is None:
        click.echo(f"TerriSTORY: {base}/ (mails: {base}/dev/courriels)")
        return
    click.echo(f"site: {base}/{admin.region}/")
    click.echo(f"sign-in: {base}/{admin.region}/connexion")
    click.echo(f"admin page: {base}/{admin.region}/admin/comptes")
    click.echo(f"outbox: {base}/dev/courriels")
    click.echo(f"region: {admin.region}")
    click.echo(f"mail: {admin.mail}")
    click.echo(f"temporary password: {admin.temporary_password}")
    sys.stdout.flush()


@click.command("secret")
def secret_command() -> None:
    """Print a good value for TERRISTORY_SECRET_KEY."""
    click.echo(generate_secret())


@click.command("doctor")
def doctor_command() -> None:
    """Look at everything an operator should know; exit with 1 when something is at fault."""
    findings = examine(settings_in_force(), utc_now())
    for finding in findings:
        click.echo(f"{finding.level:<8} {finding.subject}: {finding.words}")
    if any(finding.level == "fault" for finding in findings):
        sys.exit(1)


@click.command("purge")
def purge_command() -> None:
    """Erase what has no reason to stay (`KEEP_…_DAYS`), and warn owners of unused accounts. Run it once a day."""
    with explained_denials():
        run_purge()


def run_purge() -> None:
    """Purge now and print how many of each were erased."""
    purged = purge(settings_in_force(), utc_now(), in_transaction)
    click.echo(", ".join(f"{name}: {number}" for name, number in purged.counts().items()))


def in_transaction(act: Callable[[], int]) -> int:
    """Do one act in a transaction of its own."""
    with transaction():
        return act()


FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("file", type=FILE)
def backup_command(file: Path) -> None:
    """Write the whole database to FILE while the service runs. Keep it as secret as the database itself."""
    try:
        back_up(settings_in_force().database_url, file)
    except BackupFailed as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{file}: {file.stat().st_size} bytes")


@click.command("restore")
@click.argument("file", type=FILE)
def restore_command(file: Path) -> None:
    """Fill an empty database from FILE, end its sessions and links, and apply the erasures due since."""
    settings = settings_in_force()
    try:
        with explained_denials():
            restore(settings.database_url, file)
    except BackupFailed as error:
        raise click.ClickException(str(error)) from None
    migrate_to_head()
    with transaction():
        void_what_was_open(utc_now())
    run_purge()
    click.echo("Restored. Everybody signs in again; temporary passwords and mailed links of before are void.")
