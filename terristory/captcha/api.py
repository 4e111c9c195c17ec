"""The challenge of the automatic check, as JSON."""

from collections.abc import Callable

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from terristory.api.json_forms import InvalidFields
from terristory.captcha.challenge import FORMS, issue_challenge
from terristory.clock import utc_now
from terristory.i18n import _
from terristory.regions.models import Region
from terristory.web.access import open_to_all
from terristory.web.network import client_network
from terristory.web.rate_limits import limited
from terristory.web.settings_in_force import settings_in_force

api = Blueprint("captcha_api", __name__, url_prefix="/api")
_levels: dict[str, Callable[..., int]] = {}


def let_work_grow(form: str, level_of: Callable[..., int]) -> None:
    """Have `level_of(network, now=…)` say how hard the check of a form is. Called once when the app is built."""
    # `auth` knows who keeps failing, and lies above this feature.
    _levels[form] = level_of


@api.get("/<region:region>/captcha")
@open_to_all
@limited("captcha")
def captcha(region: Region) -> ResponseReturnValue:
    """Issue a challenge for one form of the region; it is fetched when somebody begins to fill that form."""
    form = request.args.get("form", "")
    if form not in FORMS:
        raise InvalidFields({"form": [str(_("Indiquez un des formulaires : %(forms)s.", forms=", ".join(FORMS)))]})
    settings = settings_in_force()
    now = utc_now()
    grows = form in _levels and settings.rate_limits
    challenge = issue_challenge(
        form,
        region.key,
        cost=settings.captcha_cost,
        life_seconds=settings.captcha_seconds,
        now=now,
        level=_levels[form](client_network(), now=now) if grows else 0,
    )
    response = jsonify(challenge)
    response.headers["Cache-Control"] = "no-store"
    return response
