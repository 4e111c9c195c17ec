"""Who is told of a request: the region's administrators, or the operator when it has none."""

from datetime import datetime, timedelta

from terristory.extensions import db
from terristory.mail_outbox.outbox import may_mail, put_in_outbox
from terristory.user.lookup import active_admins, count_by_status
from terristory.user.mails import new_request_mail, new_request_nobody_mail, requests_waiting_mail
from terristory.user.models import Status, User

MOST_REQUEST_MAILS = 10
HOUR = timedelta(hours=1)


def announce_request(user: User, *, operator_mail: str, limited: bool, now: datetime) -> None:
    """Tell each active administrator of the region that a request waits.

    `limited`: beyond MOST_REQUEST_MAILS requests an hour one mail counts what waits, and the rest is in the list.
    """
    admins = active_admins(user.region)
    if limited and not may_mail("new_request", user.region, most=MOST_REQUEST_MAILS, period=HOUR, now=now):
        if admins and may_mail("requests_waiting", user.region, most=1, period=HOUR, now=now):
            db.session.flush()
            count = count_by_status(user.region)[Status.AWAITING]
            for admin in admins:
                put_in_outbox(requests_waiting_mail(admin, count), now=now)
        return
    for admin in admins:
        put_in_outbox(new_request_mail(admin, user), now=now)
    if not admins:
        put_in_outbox(new_request_nobody_mail(user, operator_mail), now=now)
