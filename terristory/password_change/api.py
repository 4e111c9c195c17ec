"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("password_change_api", __name__, url_prefix="/api")
