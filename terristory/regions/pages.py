"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("regions", __name__)
