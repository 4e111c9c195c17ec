"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("account", __name__)
