"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("admin_api", __name__, url_prefix="/api")
