"""Pages of the feature."""

from flask import Blueprint

pages = Blueprint("mail_outbox", __name__)
