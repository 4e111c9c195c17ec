"""One account: what is known of it, and every decision about it."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from terristory.admin import decisions, ways_in
from terristory.admin.desk import hints_about, mails_to, names_of, next_request
from terristory.admin.forms import ActivateForm, RefuseForm, RoleForm
from terristory.admin.mails import refused_mail
from terristory.admin.outcomes import Already, Conflict, Done, Outcome, Unknown
from terristory.admin.pages.blueprint import ONE, pages
from terristory.admin.words import event_words, mail_words, status_words, words_for
from terristory.audit.lookup import lines_about
from terristory.auth.guards import admins_only, caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.i18n import _, local_time
from terristory.mail_outbox.models import MailState
from terristory.mail_outbox.outbox import row_of
from terristory.mail_outbox.rendering import RenderedMail, render
from terristory.mail_outbox.retry import Retry, retry
from terristory.regions.models import Region
from terristory.user.lookup import find_user
from terristory.user.models import Role, User
from terristory.web.kept_answers import keeps_answers
from terristory.web.rate_limits import limited
from terristory.web.settings_in_force import settings_in_force


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
    unconfirmed, life_seconds = bool(ActivateForm().unconfirmed.data), settings_in_force().invitation_seconds
    act = partial(decisions.activate, unconfirmed=unconfirmed, life_seconds=life_seconds)
    return _decide(region, user_id, act, _("Compte de %(name)s validé."), to_next=True)


@pages.post(f"{ONE}/refuser")
@admins_only
@limited("admin")
@keeps_answers
def refuse(region: Region, user_id: UUID) -> ResponseReturnValue:
    """Refuse the request, then show the next one; or first show the mail that would leave."""
    person, form = _found(region, user_id), RefuseForm()
    if not form.validate():
        return _show(person, form), 422
    if request.form.get("preview"):
        return _show(person, form, preview=_preview(person, form.reason.data or ""))
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
    life_seconds, rate_limits = settings_in_force().temporary_password_seconds, settings_in_force().rate_limits
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


def _show(
    person: User, form: RefuseForm, role_form: RoleForm | None = None, preview: RenderedMail | None = None
) -> str:
    lines = lines_about(person.region, person.id)
    return render_template(
        "admin/user.html",
        user=person,
        form=form,
        preview=preview,
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


def _preview(person: User, reason: str) -> RenderedMail:
    now = utc_now()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return render(app, row_of(refused_mail(person, reason), now=now), attempt_at=now)


def _decide(
    region: Region, user_id: UUID, act: Callable[..., Outcome], done: str, *, to_next: bool = False
) -> ResponseReturnValue:
    """Take a decision; `done` says it was taken, with %(name)s where the person's name goes."""
    _found(region, user_id)
    with transaction():
        outcome = act(region.key, user_id, actor=caller().user_id, now=utc_now())
    name = _link_to(region, outcome.user) if to_next and isinstance(outcome, Done) else _name(outcome)
    return _go_on(region, outcome, Markup.escape(str(done)) % {"name": name}, to_next=to_next)


def _go_on(region: Region, outcome: Outcome, done: Markup, *, to_next: bool = False) -> ResponseReturnValue:
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
        return redirect(url_for("admin.users", region=region.key), 303)
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


def _link_to(region: Region, person: User) -> Markup:
    """The person's name as the way back to the account: a decision too quick is seen on the next page."""
    address = url_for("admin.user", region=region.key, user_id=person.id)
    return Markup('<a href="{}">{} {}</a>').format(address, person.prenom, person.nom)


def _name(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Unknown) else f"{outcome.user.prenom} {outcome.user.nom}"


def _found(region: Region, user_id: UUID) -> User:
    person = find_user(region.key, user_id)
    if person is None:
        abort(404)
    return person
