"""The API described as OpenAPI 3.1, served as it is."""

from flask import Blueprint

api = Blueprint("openapi", __name__, url_prefix="/api")
