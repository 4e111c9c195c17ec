"""What the administrators' pages share: where they are mounted, and a file to take away."""

from flask import Blueprint, Response

pages = Blueprint("admin", __name__)
LIST = "/<region:region>/admin/comptes"
ONE = f"{LIST}/<uuid:user_id>"


def spreadsheet(content: bytes, name: str) -> Response:
    """Hand over a CSV file under this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)
