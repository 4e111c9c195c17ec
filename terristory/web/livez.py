"""Liveness: the process answers. It depends on nothing."""

from flask import Blueprint, Response

from terristory.web.access import open_to_all

livez = Blueprint("livez", __name__)


@livez.get("/livez")
@open_to_all
def alive() -> Response:
    """Say that the process is alive."""
    return Response("ok\n", mimetype="text/plain")
