"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("auth_api", __name__, url_prefix="/api")
well_known = Blueprint("well_known", __name__, url_prefix="/.well-known")
