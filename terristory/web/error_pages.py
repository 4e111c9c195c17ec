"""Errors as pages: the cause, and what to do next."""

from flask import Response, current_app, g, make_response, render_template, url_for
from werkzeug.exceptions import HTTPException

from terristory.i18n import _
from terristory.web.request_id import current_request_id

_PLAIN = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Erreur : TerriSTORY</title></head>'
    "<body><main><h1>Le service est momentanément indisponible</h1><p>Réessayez dans quelques instants. / "
    "Please try again in a moment.</p></main></body></html>"
)


_UNTRUSTED = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Erreur : TerriSTORY</title></head>'
    "<body><main><h1>Ce nom n'est pas celui du service</h1><p>Vérifiez l'adresse. / Check the address.</p></main>"
    "</body></html>"
)


def untrusted_host_page() -> Response:
    """Answer a request for a host that is not ours: no link can be made there."""
    response = make_response(_UNTRUSTED, 400)
    response.headers["Cache-Control"] = "no-store"
    return response


def error_page(
    status: int, *, title: str | None = None, message: str | None = None, retry_after: int | None = None
) -> Response:
    """Render the page of an error; a bare page when even that fails (a dependency is down)."""
    known_title, known_message = _words(status)
    region = g.get("region")
    home = url_for("regions.region_home", region=region.key) if region is not None else url_for("regions.home")
    try:
        body = render_template(
            "errors/error.html",
            status=status,
            title=title or known_title,
            message=message or known_message,
            next_actions=[(home, _("Revenir à l'accueil"))],
            retry_after=retry_after,
            request_id=current_request_id(),
            has_error=True,
        )
    except Exception:
        current_app.logger.exception("the error page itself failed")
        body = _PLAIN
    response = make_response(body, status)
    response.headers["Cache-Control"] = "no-store"
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def allowed_methods(error: HTTPException) -> str | None:
    """Return the `Allow` header that goes with a 405."""
    return dict(error.get_headers()).get("Allow")


def _words(status: int) -> tuple[str, str]:
    words = {
        400: (
            _("Demande incomprise"),
            _("Votre navigateur a envoyé une demande que nous ne comprenons pas. Revenez à la page précédente."),
        ),
        403: (
            _("Cette page est réservée"),
            _("Votre compte n'ouvre pas cette page. Si vous pensez que c'est une erreur, écrivez à votre région."),
        ),
        404: (
            _("Page introuvable"),
            _("Cette adresse ne mène à rien. Vérifiez-la si vous l'avez tapée ; un lien suivi peut ne plus être bon."),
        ),
        405: (_("Action impossible ici"), _("Cette adresse ne s'utilise pas ainsi. Revenez à la page précédente.")),
        410: (_("Ce lien ne sert plus"), _("Il a déjà servi ou il a expiré.")),
        413: (_("Envoi trop volumineux"), _("Raccourcissez vos textes et recommencez.")),
        415: (_("Envoi incompris"), _("Revenez à la page précédente et recommencez.")),
        429: (
            _("Trop de demandes"),
            _("Il y a eu trop de demandes depuis votre réseau. Attendez un peu, puis recommencez."),
        ),
        503: (_("Service momentanément indisponible"), _("Rien n'est perdu : réessayez dans quelques instants.")),
    }
    ours = (
        _("Une erreur est survenue"),
        _("Elle vient de nous et elle a été notée. Si elle revient, donnez le numéro ci-dessous à votre région."),
    )
    title, message = words.get(400 if status == 422 else status, ours)
    return str(title), str(message)
