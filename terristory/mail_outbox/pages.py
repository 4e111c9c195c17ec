"""The outbox in a browser, in development only: what was sent, or would be, with its links and passwords."""

from uuid import UUID

from flask import Blueprint, Response, abort, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from terristory.clock import utc_now
from terristory.mail_outbox.lookup import find_mail, is_wiped, newest_mails
from terristory.mail_outbox.models import OutboxMail
from terristory.mail_outbox.rendering import RenderedMail, render, subject_of
from terristory.web.access import Access, declare_access
from terristory.web.security_headers import CONTENT_SECURITY_POLICY

pages = Blueprint("mail_outbox", __name__, url_prefix="/dev/courriels")
# A frame that is written into its page would come under the page's policy, which drops the mail's own styles.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
FRAMING_POLICY = f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


@pages.get("")
@declare_access(Access.DEVELOPMENT)
def outbox() -> ResponseReturnValue:
    """List the mails, newest first."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    mails = [(mail, subject_of(app, mail)) for mail in newest_mails()]
    return render_template("mail_outbox/outbox.html", mails=mails)


@pages.get("/<uuid:mail_id>")
@declare_access(Access.DEVELOPMENT)
def one_mail(mail_id: UUID) -> ResponseReturnValue:
    """Show one mail: its headers, its text with links to follow, its HTML in a frame."""
    mail = _mail_or_404(mail_id)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    rendered = _render(mail)
    page = render_template("mail_outbox/one_mail.html", mail=mail, subject=subject_of(app, mail), rendered=rendered)
    return _with_policy(page, FRAMING_POLICY)


@pages.get("/<uuid:mail_id>/html")
@declare_access(Access.DEVELOPMENT)
def one_mail_html(mail_id: UUID) -> ResponseReturnValue:
    """Show the HTML part alone, under a policy of its own."""
    rendered = _render(_mail_or_404(mail_id))
    if rendered is None:
        abort(404)
    return _with_policy(rendered.html, MAIL_POLICY)


def _mail_or_404(mail_id: UUID) -> OutboxMail:
    mail = find_mail(mail_id)
    if mail is None:
        abort(404)
    return mail


def _render(mail: OutboxMail) -> RenderedMail | None:
    if is_wiped(mail):
        return None
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return render(app, mail, attempt_at=mail.last_attempt_at or utc_now())


def _with_policy(page: str, policy: str) -> Response:
    response = make_response(page)
    response.headers["Content-Security-Policy"] = policy
    return response
