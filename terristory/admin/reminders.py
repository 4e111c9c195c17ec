"""Requests that wait too long: the administrators are reminded, then the operator."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update

from terristory.admin.mails import waiting_mail, waiting_mail_to_operator
from terristory.extensions import db
from terristory.mail_outbox.outbox import may_mail, put_in_outbox
from terristory.user.lookup import active_admins
from terristory.user.models import Status, User

WORKING_DAYS = 5
# The operator hears of a region once a week at most, however many requests wait there.
OPERATOR_PERIOD = timedelta(days=7)


def remind(*, operator_mail: str, now: datetime) -> int:
    """Mail a reminder to the administrators of each region whose requests wait for five working days; return how many
    mails were written.

    Each request is the cause of one reminder. When it still waits five working days later, or when the region has no
    administrator, the operator is told. To be called in a transaction, once a day.
    """
    limit = working_days_before(now, WORKING_DAYS)
    since = func.coalesce(User.confirmed_at, User.created_at)
    fresh = _waiting_by_region((since <= limit) & User.reminded_at.is_(None))
    ignored = _waiting_by_region(User.reminded_at <= limit)
    written = 0
    for region in sorted({*fresh, *ignored}):
        admins = active_admins(region) if region in fresh else []
        for admin in admins:
            put_in_outbox(waiting_mail(admin, fresh[region]), now=now)
        written += len(admins)
        for_operator = ignored.get(region, 0) or (0 if admins else fresh.get(region, 0))
        if for_operator and may_mail("reminder-operator", region, most=1, period=OPERATOR_PERIOD, now=now):
            put_in_outbox(waiting_mail_to_operator(region, operator_mail, for_operator), now=now)
            written += 1
    db.session.execute(
        update(User)
        .where(User.status == Status.AWAITING, since <= limit, User.reminded_at.is_(None))
        .values(reminded_at=now)
    )
    return written


def working_days_before(now: datetime, days: int) -> datetime:
    """Return the moment that lies `days` working days (Monday to Friday) before `now`."""
    moment = now
    while days:
        moment -= timedelta(days=1)
        if moment.weekday() < 5:
            days -= 1
    return moment


def _waiting_by_region(condition: ColumnElement[bool]) -> dict[str, int]:
    statement = select(User.region, func.count()).where(User.status == Status.AWAITING, condition)
    return dict(db.session.execute(statement.group_by(User.region)).all())
