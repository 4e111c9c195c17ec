"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("auth", __name__)
