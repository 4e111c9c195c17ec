"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("user", __name__)
