"""Pages for the administrators of a region: the queue, one account, the journal."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from terristory.admin import decisions, ways_in
from terristory.admin.desk import (
    Question,
    count_found,
    every_user,
    find_users,
    hints_about,
    mails_to,
    names_of,
    next_request,
)
from terristory.admin.forms import (
    ACTIONS,
    ActivateForm,
    RefuseForm,
    RoleForm,
    question_of,
    together_of,
    trail_question_of,
)
from terristory.admin.outcomes import Already, Conflict, Done, Outcome, Unknown
from terristory.admin.spreadsheet import csv_of
from terristory.admin.together import decide_together
from terristory.admin.words import action_words, event_words, mail_words, sort_words, status_words, words_for
from terristory.api.json_forms import InvalidFields
from terristory.audit.events import AuditEvent
from terristory.audit.lookup import lines_about, lines_of_region
from terristory.audit.trail import record
from terristory.auth.guards import admins_only, caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, local_time
from terristory.mail_outbox.models import MailState
from terristory.mail_outbox.retry import Retry, retry
from terristory.regions.models import Region
from terristory.settings import Settings
from terristory.user.lookup import count_by_status, find_user
from terristory.user.models import Role, Status, User
from terristory.web.rate_limits import limited

pages = Blueprint("admin", __name__)
LIST = "/<region:region>/admin/comptes"
ONE = f"{LIST}/<uuid:user_id>"


@pages.get(LIST)
@admins_only
@limited("admin")
def users(region: Region) -> ResponseReturnValue:
    """Show the queue, or the accounts that a tab and a search find."""
    return _list_page(region, _question())


@pages.post(f"{LIST}/export")
@admins_only
@limited("admin")
def export_users(region: Region) -> ResponseReturnValue:
    """Give the accounts of a tab and search as a spreadsheet; the export is traced."""
    question = _question()
    titles = ("prenom", "nom", "mail", "organisation", "fonction", "territoire", "role", "status", "created_at")
    rows = [
        [*(str(getattr(user, name)) for name in titles[:-1]), user.created_at.isoformat()]
        for user in every_user(region.key, question)
    ]
    with transaction():
        details = {"rows": len(rows), "status": question.status.value if question.status else "all"}
        record(AuditEvent.USERS_EXPORTED, region=region.key, actor=caller().user_id, now=utc_now(), details=details)
    return _spreadsheet(csv_of(titles, rows), f"comptes-{region.key}.csv")


@pages.post(f"{LIST}/decisions")
@admins_only
@limited("admin")
def decide_many(region: Region) -> ResponseReturnValue:
    """Ask to confirm one decision on the chosen accounts, then take it and say what became of each."""
    ids, action = request.form.getlist("ids"), request.form.get("action", "")
    if not ids or action not in ACTIONS:
        problem = str(_("Cochez au moins un compte, puis choisissez une décision."))
        return _list_page(region, question_of({"status": Status.AWAITING.value}), problem), 422
    form = RefuseForm() if action == "refuse" and request.form.get("confirmed") else RefuseForm(formdata=None)
    if not request.form.get("confirmed") or (action == "refuse" and not form.validate()):
        return _confirm_many(region, ids, action, form)
    sent = together_of(ids, action, form.reason.data or "")
    decide = partial(
        decisions.decide,
        sent.action,
        region.key,
        actor=caller().user_id,
        reason=sent.reason,
        life_seconds=_settings().invitation_seconds,
        now=utc_now(),
    )
    with transaction():
        results = decide_together(sent.ids, decide)
    names = names_of(region.key, [item.user.decided_by for item in results if item.user is not None])
    return render_template(
        "admin/decided.html", results=results, action_word=action_words()[action], names=names, words_for=words_for
    )


@pages.get(ONE)
@admins_only
@limited("admin")
def user(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Show one account: its data, hints, mails and history, and what can be decided."""
    return _show(_found(region, user_id), RefuseForm(formdata=None))


@pages.post(f"{ONE}/valider")
@admins_only
@limited("admin")
def activate(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Let the person in, then show the next request."""
    unconfirmed, life_seconds = bool(ActivateForm().unconfirmed.data), _settings().invitation_seconds
    act = partial(decisions.activate, unconfirmed=unconfirmed, life_seconds=life_seconds)
    return _decide(region, user_id, act, _("Compte de %(name)s validé."), to_next=True)


@pages.post(f"{ONE}/refuser")
@admins_only
@limited("admin")
def refuse(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Refuse the request, then show the next one."""
    person, form = _found(region, user_id), RefuseForm()
    if not form.validate():
        return _show(person, form), 422
    act = partial(decisions.refuse, reason=form.reason.data)
    return _decide(region, user_id, act, _("Demande de %(name)s refusée."), to_next=True)


@pages.post(f"{ONE}/desactiver")
@admins_only
@limited("admin")
def disable(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Disable the account."""
    return _decide(region, user_id, decisions.disable, _("Compte de %(name)s désactivé."))


@pages.post(f"{ONE}/reactiver")
@admins_only
@limited("admin")
def enable(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Enable the account again."""
    return _decide(region, user_id, decisions.enable, _("Compte de %(name)s réactivé."))


@pages.post(f"{ONE}/role")
@admins_only
@limited("admin")
def change_role(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Give the account a role."""
    person, form = _found(region, user_id), RoleForm()
    if not form.validate():
        return _show(person, RefuseForm(formdata=None), form), 422
    return _decide(
        region, user_id, partial(decisions.change_role, role=Role(form.role.data)), _("Rôle de %(name)s changé.")
    )


@pages.post(f"{ONE}/deconnecter")
@admins_only
@limited("admin")
def sign_out(region: Region, user_id: UUID) -> ResponseReturnValue:
    """End all sessions of the account."""
    return _decide(region, user_id, decisions.sign_out, _("Sessions de %(name)s fermées."))


@pages.post(f"{ONE}/mot-de-passe")
@admins_only
@limited("admin")
def regenerate_password(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Mail a temporary password."""
    life_seconds, rate_limits = _settings().temporary_password_seconds, _settings().rate_limits
    act = partial(ways_in.regenerate_password_of, life_seconds=life_seconds, rate_limits=rate_limits)
    return _decide(region, user_id, act, _("Mot de passe provisoire envoyé à %(name)s."))


@pages.post(f"{ONE}/confirmation")
@admins_only
@limited("admin")
def resend_confirmation(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Mail the confirmation link again."""
    return _decide(region, user_id, ways_in.resend_confirmation, _("Lien de confirmation renvoyé à %(name)s."))


@pages.post(f"{ONE}/courriels/<uuid:mail_id>")
@admins_only
@limited("admin")
def retry_mail(region: Region, user_id: UUID, mail_id: UUID) -> ResponseReturnValue:
    """Have a mail to the account tried again at once."""
    person = _found(region, user_id)
    with transaction():
        mail = next((item for item in mails_to(person) if item.id == mail_id), None)
        became = retry(mail, now=utc_now()) if mail is not None else None
    words = {
        Retry.TAKEN: ("success", _("Le courriel va être remis de nouveau.")),
        Retry.SENT: ("info", _("Ce courriel est déjà parti.")),
        Retry.WIPED: ("error", _("Ce courriel a perdu sa partie secrète : refaites plutôt l'action qui l'envoie.")),
    }
    if became is None:
        abort(404)
    category, message = words[became]
    flash(str(message), category)
    return redirect(url_for("admin.user", region=region.key, user_id=user_id), 303)


@pages.get("/<region:region>/admin/journal")
@admins_only
@limited("admin")
def journal(region: Region) -> ResponseReturnValue:
    """Show who did what, when; names are looked up now, the trail holds ids only."""
    asked = trail_question_of(request.args)
    found = lines_of_region(region.key, user=asked.user, event=asked.event, after=asked.after, limit=asked.limit)
    ids = [person for line in found.lines for person in (line.actor, line.subject)]
    shown: dict[str, Any] = {"user": asked.user, "event": asked.event}
    next_url = url_for("admin.journal", region=region.key, **shown, after=found.next) if found.next else None
    return render_template(
        "admin/journal.html",
        asked=asked,
        lines=found.lines,
        names=names_of(region.key, [*ids, asked.user]),
        event_words=event_words(),
        next_url=next_url,
    )


@pages.post("/<region:region>/admin/journal/export")
@admins_only
@limited("admin")
def export_journal(region: Region) -> ResponseReturnValue:
    """Give the journal as a spreadsheet, ids only; the export is traced."""
    asked = trail_question_of(request.form)
    rows: list[list[str]] = []
    after: str | None = None
    while True:
        found = lines_of_region(region.key, user=asked.user, event=asked.event, after=after, limit=500)
        rows += [
            [line.at.isoformat(), line.event, str(line.actor or ""), str(line.subject or ""), str(line.details or "")]
            for line in found.lines
        ]
        after = found.next
        if after is None:
            break
    with transaction():
        record(
            AuditEvent.AUDIT_EXPORTED,
            region=region.key,
            actor=caller().user_id,
            now=utc_now(),
            details={"rows": len(rows)},
        )
    return _spreadsheet(csv_of(("at", "event", "actor", "subject", "details"), rows), f"journal-{region.key}.csv")


def _list_page(region: Region, question: Question, problem: str | None = None) -> str:
    answer = find_users(region.key, question)
    shown = {"status": question.status or "all", "q": question.q or None, "sort": question.sort or None}
    return render_template(
        "admin/users.html",
        question=question,
        answer=answer,
        counts=count_by_status(region.key),
        found=count_found(region.key, question),
        status_words=status_words(),
        sort_words=sort_words(),
        actions=_actions_for(question.status),
        shown=shown,
        problem=problem,
        has_error=problem is not None,
        next_url=_list_url(region, **shown, after=answer.next, limit=question.limit) if answer.next else None,
    )


def _question() -> Question:
    """Read the list's query; without any wish, the requests that wait."""
    values = (request.form if request.method == "POST" else request.args).to_dict()
    if values.get("status") == "all":
        values["status"] = ""
    elif not values.get("status") and not values.get("q"):
        values["status"] = Status.AWAITING.value
    return question_of(values)


def _actions_for(status: Status | None) -> dict[str, str]:
    useful = {
        Status.AWAITING: ("activate", "refuse"),
        Status.UNCONFIRMED: ("refuse",),
        Status.ACTIVE: ("disable",),
        Status.REFUSED: ("activate",),
        Status.DISABLED: ("enable",),
    }
    names = useful[status] if status is not None else ACTIONS
    return {name: word for name, word in action_words().items() if name in names}


def _confirm_many(region: Region, ids: list[str], action: str, form: RefuseForm) -> ResponseReturnValue:
    chosen = [find_user(region.key, user_id) for user_id in _uuids(ids)]
    people = [person for person in chosen if person is not None]
    return render_template(
        "admin/decide_many.html", people=people, action=action, action_word=action_words()[action], form=form
    ), (422 if form.errors else 200)


def _uuids(ids: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in dict.fromkeys(ids)]
    except ValueError:
        raise InvalidFields({"ids": [str(_("Ce champ attend une liste d'identifiants."))]}) from None


def _show(person: User, form: RefuseForm, role_form: RoleForm | None = None) -> str:
    lines = lines_about(person.region, person.id)
    return render_template(
        "admin/user.html",
        user=person,
        form=form,
        role_form=role_form or RoleForm(formdata=None, role=person.role),
        hints=hints_about(person),
        mails=mails_to(person),
        lines=lines,
        names=names_of(person.region, [person.decided_by, *(line.actor for line in lines)]),
        status_words=status_words(),
        mail_words=mail_words(),
        event_words=event_words(),
        dead=MailState.DEAD,
        own=person.id == caller().user_id,
    )


def _decide(
    region: Region, user_id: UUID, act: Callable[..., Outcome], done: str, *, to_next: bool = False
) -> ResponseReturnValue:
    """Take a decision; `done` says it was taken, with %(name)s where the person's name goes."""
    _found(region, user_id)
    with transaction():
        outcome = act(region.key, user_id, actor=caller().user_id, now=utc_now())
    return _go_on(region, outcome, str(done) % {"name": _name(outcome)}, to_next=to_next)


def _go_on(region: Region, outcome: Outcome, done: str, *, to_next: bool = False) -> ResponseReturnValue:
    """Say what became of a decision, and lead to the next request or back to the account."""
    here = outcome.user.id if not isinstance(outcome, Unknown) else None
    match outcome:
        case Unknown():
            abort(404)
        case Done():
            flash(done, "success")
        case Already(person):
            flash(_said_before(person), "info")
        case Conflict(code, person):
            flash(f"{words_for(code)} {_said_before(person)}", "error")
    following = next_request(region.key) if to_next and isinstance(outcome, Done) else None
    if following is not None:
        return redirect(url_for("admin.user", region=region.key, user_id=following.id), 303)
    if to_next and isinstance(outcome, Done):
        return redirect(_list_url(region), 303)
    return redirect(url_for("admin.user", region=region.key, user_id=here), 303)


def _said_before(person: User) -> str:
    state = status_words()[person.status]
    if person.decided_at is None:
        return str(_("État du compte : %(state)s.", state=state))
    by = names_of(person.region, [person.decided_by]).get(person.decided_by) if person.decided_by else None
    return str(
        _(
            "État du compte : %(state)s, décidé par %(name)s le %(when)s.",
            state=state,
            name=by or _("l'exploitation"),
            when=local_time(person.decided_at),
        )
    )


def _name(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Unknown) else f"{outcome.user.prenom} {outcome.user.nom}"


def _found(region: Region, user_id: UUID) -> User:
    person = find_user(region.key, user_id)
    if person is None:
        abort(404)
    return person


def _list_url(region: Region, **values: Any) -> str:
    return url_for("admin.users", region=region.key, **values)


def _spreadsheet(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
