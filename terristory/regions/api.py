"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("regions_api", __name__, url_prefix="/api")
