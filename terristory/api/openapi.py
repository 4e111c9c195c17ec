"""The API described as OpenAPI 3.1, served as it is."""

from pathlib import Path

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from terristory.web.access import open_to_all

api = Blueprint("openapi", __name__, url_prefix="/api")
DESCRIPTION = Path(__file__).with_name("openapi.yaml")


@api.get("/openapi.yaml")
@open_to_all
def openapi() -> ResponseReturnValue:
    """Return the description; tests keep it true to the routes and to the answers."""
    return Response(DESCRIPTION.read_bytes(), content_type="application/yaml")
