"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("captcha_api", __name__, url_prefix="/api")
