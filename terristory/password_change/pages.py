"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("password_change", __name__)
