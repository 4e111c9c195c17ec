"""The open regions, as JSON."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from terristory.regions.lookup import open_regions
from terristory.web.access import open_to_all

api = Blueprint("regions_api", __name__, url_prefix="/api")


@api.get("/regions")
@open_to_all
def list_regions() -> ResponseReturnValue:
    """List the open regions by name."""
    described = [{"key": region.key, "nom": region.nom, "contact": region.contact} for region in open_regions()]
    return jsonify({"regions": described})
