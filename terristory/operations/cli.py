"""Commands of the operator: serve, secret, doctor, purge, backup, restore."""

import sys

import click
from flask import Flask, current_app

from terristory.extensions import db
from terristory.operations.prepare import prepare
from terristory.operations.serve import serve
from terristory.settings import Settings, generate_secret


def add_commands(app: Flask) -> None:
    """Add the operator's commands to `flask`."""
    for command in (serve_command, secret_command):
        app.cli.add_command(command)


@click.command("serve")
def serve_command() -> None:
    """Prepare once, then run the web server and one mail worker until SIGTERM."""
    settings: Settings = current_app.config["SETTINGS"]
    prepare(settings)
    if not settings.production:
        click.echo(settings.public_url)
    db.session.remove()
    db.engine.dispose()
    sys.exit(serve(settings))


@click.command("secret")
def secret_command() -> None:
    """Print a good value for TERRISTORY_SECRET_KEY."""
    click.echo(generate_secret())
