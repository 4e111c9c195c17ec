"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("user_api", __name__, url_prefix="/api")
