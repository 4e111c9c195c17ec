"""JSON endpoints of the feature."""

from flask import Blueprint

api = Blueprint("operations_api", __name__)
