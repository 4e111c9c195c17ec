"""The queue and the list of accounts: tabs, search, paging, and its spreadsheet."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from terristory.admin.desk import Question, count_found, every_user, find_users
from terristory.admin.forms import ACTIONS, question_of
from terristory.admin.pages.blueprint import LIST, pages, spreadsheet
from terristory.admin.spreadsheet import csv_of
from terristory.admin.words import action_words, sort_words, status_words
from terristory.audit.events import AuditEvent
from terristory.audit.trail import record
from terristory.auth.guards import admins_only, caller
from terristory.clock import utc_now
from terristory.database import transaction
from terristory.regions.models import Region
from terristory.user.lookup import count_by_status
from terristory.user.models import Status
from terristory.web.rate_limits import limited


@pages.get(LIST)
@admins_only
@limited("admin")
def users(region: Region) -> ResponseReturnValue:
    """Show the queue, or the accounts that a tab and a search find."""
    return list_page(region, question_asked())


@pages.post(f"{LIST}/export")
@admins_only
@limited("admin")
def export_users(region: Region) -> ResponseReturnValue:
    """Give the accounts of a tab and search as a spreadsheet; the export is traced."""
    question = question_asked()
    titles = ("prenom", "nom", "mail", "organisation", "fonction", "territoire", "role", "status", "created_at")
    rows = [
        [*(str(getattr(user, name)) for name in titles[:-1]), user.created_at.isoformat()]
        for user in every_user(region.key, question)
    ]
    with transaction():
        details = {"rows": len(rows), "status": question.status.value if question.status else "all"}
        record(AuditEvent.USERS_EXPORTED, region=region.key, actor=caller().user_id, now=utc_now(), details=details)
    return spreadsheet(csv_of(titles, rows), f"comptes-{region.key}.csv")


def list_page(region: Region, question: Question, problem: str | None = None) -> str:
    """Render the accounts that a question finds, with what is wrong, if anything."""
    answer = find_users(region.key, question)
    shown = shown_of(question)
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
        first_url=_list_url(region, question) if question.after else None,
        next_url=_list_url(region, question, after=answer.next) if answer.next else None,
    )


def shown_of(question: Question) -> dict[str, str]:
    """Return a question as the list's query, so that what follows a list leads back to the same one."""
    values = {"status": question.status or "all", "q": question.q, "sort": question.sort}
    return {name: str(value) for name, value in values.items() if value}


def question_asked() -> Question:
    """Read the list's query; without any wish, the requests that wait."""
    values = (request.form if request.method == "POST" else request.args).to_dict()
    if values.get("status") == "all":
        values["status"] = ""
    elif not values.get("status") and not values.get("q"):
        values["status"] = Status.AWAITING.value
    return question_of(values)


def _list_url(region: Region, question: Question, *, after: str | None = None) -> str:
    query: dict[str, Any] = {**shown_of(question), "after": after}
    if question.limit != Question.limit:
        query["limit"] = question.limit
    return url_for("admin.users", region=region.key, **query)


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
