"""One decision on many accounts: chosen in the list, confirmed on a page of its own, told row by row."""

from collections.abc import Sequence
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from terristory.admin import decisions
from terristory.admin.desk import Question, names_of
from terristory.admin.forms import ACTIONS, NothingForm, RefuseForm, decide_as_sent, together_of
from terristory.admin.pages.account_list import list_page, question_asked, shown_of
from terristory.admin.pages.blueprint import LIST, pages
from terristory.admin.words import action_words, words_for
from terristory.api.json_forms import InvalidFields
from terristory.auth.guards import admins_only, caller
from terristory.i18n import _
from terristory.regions.models import Region
from terristory.user.lookup import find_user
from terristory.user.models import User
from terristory.web.kept_answers import keeps_answers
from terristory.web.rate_limits import limited


@pages.post(f"{LIST}/decisions")
@admins_only
@limited("admin")
@keeps_answers
def decide_many(region: Region) -> ResponseReturnValue:
    """Ask to confirm one decision on the chosen accounts, then take it and say what became of each."""
    ids, action, question = request.form.getlist("ids"), request.form.get("action", ""), question_asked()
    people = [person for user_id in _uuids(ids) if (person := find_user(region.key, user_id)) is not None]
    if not people or action not in ACTIONS:
        problem = str(_("Cochez au moins un compte, puis choisissez une décision."))
        return list_page(region, question, problem), 422
    form_class = RefuseForm if action == "refuse" else NothingForm
    form = form_class() if request.form.get("confirmed") else form_class(formdata=None)
    if not request.form.get("confirmed") or not form.validate():
        return _confirmation_page(people, action, form, question)
    sent = together_of(ids, action, request.form.get("reason", ""))
    results = decide_as_sent(sent, region)
    return render_template(
        "admin/decided.html",
        results=results,
        action_word=action_words()[action],
        names=names_of(region.key, [item.user.decided_by for item in results if item.user is not None]),
        words_for=words_for,
        shown=shown_of(question),
    )


def _confirmation_page(
    people: Sequence[User], action: str, form: RefuseForm | NothingForm, question: Question
) -> ResponseReturnValue:
    return render_template(
        "admin/decide_many.html",
        people=people,
        action=action,
        action_word=action_words()[action],
        form=form,
        left_alone=[person for person in people if not decisions.concerns(action, person, actor=caller().user_id)],
        shown=shown_of(question),
    ), (422 if form.errors else 200)


def _uuids(ids: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in dict.fromkeys(ids)]
    except ValueError:
        raise InvalidFields({"ids": [str(_("Ce champ attend une liste d'identifiants."))]}) from None
