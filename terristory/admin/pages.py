"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("admin", __name__)
