"""Views behind each guard that do nothing but answer: tests of the guards need no feature of the service."""

from flask import Blueprint, Flask, Response
from flask_wtf.csrf import generate_csrf

from terristory.auth.guards import admins_only, caller, members_only
from terristory.extensions import csrf

PAGE, ADMIN_PAGE, CHOOSE_PAGE = "/bretagne/essai", "/bretagne/essai/admin", "/bretagne/essai/choisir"
ENDPOINT, ADMIN_ENDPOINT, CHOOSE_ENDPOINT = (f"/api{path}" for path in (PAGE, ADMIN_PAGE, CHOOSE_PAGE))
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def add_probes(app: Flask) -> Flask:
    """Mount one view per guard on an app that has served nothing yet; each answers the caller and a form token."""

    def probe(region: object) -> Response:
        return Response(f"{caller().mail} {generate_csrf()}", mimetype="text/plain")

    guards = {"": members_only(probe), "/admin": admins_only(probe), "/choisir": members_only(temporary=True)(probe)}
    pages, api = Blueprint("probe_pages", __name__), Blueprint("probe_api", __name__, url_prefix="/api")
    for path, view in guards.items():
        for door in (pages, api):
            door.add_url_rule(f"/<region:region>/essai{path}", f"probe{path.replace('/', '_')}", view, methods=METHODS)
    csrf.exempt(api)
    app.register_blueprint(pages)
    app.register_blueprint(api)
    return app


def cookies_of(client: object, *names: str) -> dict[str, str]:
    """Return the client's cookies of these names, as it would send them."""
    found = {name: client.get_cookie(name) for name in names}  # type: ignore[attr-defined]
    return {name: cookie.value for name, cookie in found.items() if cookie is not None}
