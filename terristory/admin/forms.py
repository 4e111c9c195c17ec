"""What administrators send: reasons, roles, searches, lists of accounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flask import request
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf

from terristory.admin import decisions
from terristory.admin.desk import MOST_ROWS, SORTS, Question
from terristory.admin.together import MOST_TOGETHER, Result, decide_together
from terristory.api.json_body import json_object
from terristory.api.json_forms import InvalidFields, fill_from_json, validated
from terristory.audit.events import AuditEvent
from terristory.auth.guards import caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, _l
from terristory.regions.models import Region
from terristory.user.models import Role, Status
from terristory.web.base_form import AtMost, BaseForm, Filled, TextArea, has_unprintable, tidy
from terristory.web.settings_in_force import settings_in_force

MOST_REASON = 1000
MOST_WORDS = 200
ACTIONS = ("activate", "refuse", "disable", "enable")
AnyForm = TypeVar("AnyForm", bound=BaseForm)


class NothingForm(BaseForm):
    """A decision that needs no answer: any field is one too many."""


class ActivateForm(BaseForm):
    """Whether to let in somebody whose address is not confirmed."""

    unconfirmed = BooleanField(_l("Valider sans confirmation de l'adresse"), default=False)


class RefuseForm(BaseForm):
    """Why a request is refused."""

    reason = TextArea(
        _l("Motif du refus (obligatoire) – ce texte sera envoyé au demandeur"),
        validators=[
            Filled(_l("Écrivez le motif du refus, par exemple : « Cette organisation n'est pas dans la région. »")),
            AtMost(MOST_REASON),
        ],
    )


class RoleForm(BaseForm):
    """The role to give."""

    role = SelectField(
        _l("Rôle (obligatoire)"),
        choices=[
            SelectChoice(Role.USER.value, _l("Utilisateur")),
            SelectChoice(Role.ADMIN.value, _l("Administrateur")),
        ],
        validators=[
            Filled(_l("Choisissez un rôle : user ou admin.")),
            AnyOf([role.value for role in Role], message=_l("Choisissez un rôle : user ou admin.")),
        ],
        validate_choice=False,
    )


@dataclass(frozen=True)
class Together:
    """One decision on several accounts, as sent."""

    ids: list[str]
    action: str
    reason: str


def decision_from_json(form_class: type[AnyForm]) -> AnyForm:
    """Return the valid form of a decision; a request without any body is an empty one. Raises InvalidFields."""
    if not request.get_data(cache=True):
        return validated(form_class(formdata=MultiDict(), meta={"csrf": False}))
    return validated(fill_from_json(form_class))


def together_from_json() -> Together:
    """Return the decision on several accounts of a JSON body. Raises InvalidFields naming each field at fault."""
    body = {name: value for name, value in json_object().items() if value is not None}
    known = ("ids", "action", "reason")
    faults = {str(name)[:80]: [str(_("Ce champ n'existe pas ici."))] for name in body if name not in known}
    ids = body.get("ids")
    if not isinstance(ids, list) or not all(isinstance(item, str) and len(item) <= 64 for item in ids):
        faults["ids"] = [str(_("Ce champ attend une liste d'identifiants."))]
    for name in ("action", "reason"):
        if not isinstance(body.get(name, ""), str):
            faults[name] = [str(_("Ce champ attend un texte."))]
    if faults:
        raise InvalidFields(faults)
    return together_of(ids or [], body.get("action", ""), body.get("reason", ""))


def together_of(ids: list[str], action: str, reason: str) -> Together:
    """Judge a decision on several accounts, of either door. Raises InvalidFields naming each field at fault."""
    faults: dict[str, list[str]] = {}
    if not 0 < len(ids) <= MOST_TOGETHER:
        faults["ids"] = [str(_("Choisissez de 1 à %(most)s comptes.", most=MOST_TOGETHER))]
    if action not in ACTIONS:
        faults["action"] = [str(_("Choisissez une décision : activate, refuse, disable ou enable."))]
    form = RefuseForm(formdata=MultiDict({"reason": reason}), meta={"csrf": False})
    if action == "refuse" and not form.validate():
        faults["reason"] = [str(message) for message in form.reason.errors]
    if faults:
        raise InvalidFields(faults)
    return Together(ids, action, form.reason.data or "")


def decide_as_sent(sent: Together, region: Region) -> list[Result]:
    """Take a decision on several accounts, for either door, in a transaction of its own, as whoever is signed in."""
    decide = partial(
        decisions.decide,
        sent.action,
        region.key,
        actor=caller().user_id,
        reason=sent.reason,
        life_seconds=settings_in_force().invitation_seconds,
        now=utc_now(),
    )
    with transaction():
        return decide_together(sent.ids, decide)


def question_of(values: Mapping[str, str]) -> Question:
    """Read the list's query: status, q, sort, after, limit; an empty value counts as absent.

    Raises InvalidFields for a value that no list takes; unknown names are ignored, as everywhere in queries.
    """
    faults: dict[str, list[str]] = {}
    status, sort = values.get("status") or None, values.get("sort") or ""
    if status is not None and status not in set(Status):
        faults["status"] = [str(_("Choisissez un état : %(states)s.", states=", ".join(Status)))]
    if sort and sort not in SORTS:
        faults["sort"] = [str(_("Choisissez un tri : %(sorts)s.", sorts=", ".join(SORTS)))]
    words = tidy(values.get("q")) or ""
    if has_unprintable(words):
        faults["q"] = [str(_("Retirez les caractères invisibles ou de contrôle."))]
    elif len(words) > MOST_WORDS:
        faults["q"] = [str(_("Raccourcissez ce texte : %(most)s caractères au plus.", most=MOST_WORDS))]
    limit = _limit_of(values, faults)
    if faults:
        raise InvalidFields(faults)
    return Question(Status(status) if status else None, words, sort, values.get("after") or None, limit)


@dataclass(frozen=True)
class TrailQuestion:
    """Which lines of the trail."""

    user: UUID | None
    event: str | None
    after: str | None
    limit: int


def trail_question_of(values: Mapping[str, str]) -> TrailQuestion:
    """Read the journal's query: user, event, after, limit. Raises InvalidFields."""
    faults: dict[str, list[str]] = {}
    user: UUID | None = None
    try:
        user = UUID(values["user"]) if values.get("user") else None
    except ValueError:
        faults["user"] = [str(_("Donnez l'identifiant d'un compte."))]
    event = values.get("event") or None
    if event is not None and event not in set(AuditEvent):
        faults["event"] = [str(_("Cet événement n'existe pas ; par exemple : user.activated."))]
    limit = _limit_of(values, faults)
    if faults:
        raise InvalidFields(faults)
    return TrailQuestion(user, event, values.get("after") or None, limit)


def _limit_of(values: Mapping[str, str], faults: dict[str, Any]) -> int:
    raw = values.get("limit") or "50"
    if raw.isascii() and raw.isdigit() and 1 <= int(raw[:6]) <= MOST_ROWS:
        return int(raw[:6])
    faults["limit"] = [str(_("Donnez un nombre de 1 à %(most)s.", most=MOST_ROWS))]
    return MOST_ROWS
