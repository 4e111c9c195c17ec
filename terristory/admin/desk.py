"""What an administrator looks at: the list of accounts with its counts, and the hints about one request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from terristory.api.paging import BadCursor, decode_cursor, encode_cursor
from terristory.extensions import db
from terristory.mail_outbox.models import OutboxMail
from terristory.user.mail_address import folded
from terristory.user.models import Status, User

SORTS = ("created_at", "-created_at", "nom", "-nom", "last_sign_in_at", "-last_sign_in_at")
MOST_ROWS = 100
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# Where anybody gets an address in a minute: it says nothing of an organisation.
FREE_MAIL = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "yahoo.fr",
        "yahoo.com",
        "hotmail.com",
        "hotmail.fr",
        "outlook.com",
        "outlook.fr",
        "live.fr",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "free.fr",
        "orange.fr",
        "wanadoo.fr",
        "sfr.fr",
        "neuf.fr",
        "laposte.net",
        "bbox.fr",
        "numericable.fr",
        "aol.com",
        "protonmail.com",
        "proton.me",
        "pm.me",
        "gmx.fr",
        "gmx.com",
        "gmx.net",
        "mail.com",
        "tutanota.com",
        "zaclys.net",
    }
)


@dataclass(frozen=True)
class Question:
    """Which accounts of a region, in which order, from where. `sort` is one of SORTS or "" for the usual order."""

    status: Status | None = None
    q: str = ""
    sort: str = ""
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True)
class Answer:
    """A page of accounts, and the cursor of the next one."""

    users: Sequence[User]
    next: str | None


@dataclass(frozen=True)
class Hints:
    """What helps to judge a request; it judges nothing by itself."""

    domain: str
    colleagues: int
    free_mail: bool
    namesakes: int
    punycode: bool


def find_users(region: str, question: Question) -> Answer:
    """Return a page of the region's accounts. Raises BadCursor for an `after` of another sort, or not ours.

    The usual order: requests still open by age, the oldest first; all else newest first.
    """
    sort = question.sort or _usual_sort(question.status)
    statement = _filtered(region, question.status, question.q)
    keys, descending = _sort_keys(sort), sort.startswith("-")
    cursor = decode_cursor(question.after, (str, str, str))
    if cursor is not None:
        statement = statement.where(_beyond(keys, descending, _values_of(cursor, sort)))
    statement = statement.order_by(*((key.desc() if descending else key.asc()) for key in keys))
    users = db.session.scalars(statement.limit(question.limit + 1)).all()
    more = len(users) > question.limit
    return Answer(users[: question.limit], _cursor_of(users[question.limit - 1], sort) if more else None)


def every_user(region: str, question: Question) -> Iterator[User]:
    """Go through all accounts that a question finds, a portion at a time (for exports)."""
    after = None
    while True:
        answer = find_users(region, Question(question.status, question.q, question.sort, after, MOST_ROWS))
        yield from answer.users
        after = answer.next
        if after is None:
            return


def count_found(region: str, question: Question) -> int:
    """Return how many accounts a question finds on all its pages."""
    found = _filtered(region, question.status, question.q).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def next_request(region: str) -> User | None:
    """Return the request that waits for a decision longest."""
    return next(iter(find_users(region, Question(status=Status.AWAITING, limit=1)).users), None)


def hints_about(user: User) -> Hints:
    """Compare a request with the region's active accounts and with what is commonly known."""
    domain = user.mail_canonical.rpartition("@")[2]
    of_domain = User.mail_canonical.endswith("@" + domain, autoescape=True)
    same_name = User.search_text.startswith(folded(user.prenom, user.nom) + " ", autoescape=True)
    return Hints(
        domain=domain,
        colleagues=_count(user, of_domain, User.status == Status.ACTIVE) if domain not in FREE_MAIL else 0,
        free_mail=domain in FREE_MAIL,
        namesakes=_count(user, same_name),
        punycode=any(label.startswith("xn--") for label in domain.split(".")),
    )


def names_of(region: str, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names behind ids of a region; who was erased has none any more."""
    wanted = {user_id for user_id in ids if user_id is not None}
    if not wanted:
        return {}
    rows = db.session.execute(select(User.id, User.prenom, User.nom).where(User.region == region, User.id.in_(wanted)))
    return {row.id: f"{row.prenom} {row.nom}" for row in rows}


def mails_to(user: User) -> Sequence[OutboxMail]:
    """Return the latest mails that an account was sent, newest first."""
    statement = select(OutboxMail).where(OutboxMail.user_id == user.id, OutboxMail.recipient == user.mail)
    return db.session.scalars(statement.order_by(OutboxMail.created_at.desc()).limit(20)).all()


def _filtered(region: str, status: Status | None, q: str) -> Select[User]:
    statement = select(User).where(User.region == region)
    if status is not None:
        statement = statement.where(User.status == status)
    for word in folded(q).split():
        statement = statement.where(User.search_text.contains(word, autoescape=True))
    return statement


def _usual_sort(status: Status | None) -> str:
    return "created_at" if status in (Status.AWAITING, Status.UNCONFIRMED) else "-created_at"


def _sort_keys(sort: str) -> tuple[ColumnElement[Any], ...]:
    if sort.endswith("nom"):
        return User.nom.expression, User.prenom.expression, User.id.expression
    if sort.endswith("last_sign_in_at"):
        return func.coalesce(User.last_sign_in_at, NEVER), User.id.expression
    return User.created_at.expression, User.id.expression


def _cursor_of(user: User, sort: str) -> str:
    if sort.endswith("nom"):
        return encode_cursor(sort, f"{user.nom}\n{user.prenom}", user.id.hex)
    moment = (user.last_sign_in_at or NEVER) if sort.endswith("last_sign_in_at") else user.created_at
    return encode_cursor(sort, moment.isoformat(), user.id.hex)


def _values_of(cursor: tuple[str, str, str], sort: str) -> tuple[Any, ...]:
    made_for, value, user_id = cursor
    try:
        if made_for != sort:
            raise BadCursor
        if sort.endswith("nom"):
            nom, prenom = value.split("\n")
            return nom, prenom, UUID(hex=user_id)
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC), UUID(hex=user_id)
    except (ValueError, OverflowError):
        raise BadCursor from None


def _beyond(keys: Sequence[ColumnElement[Any]], descending: bool, values: Sequence[Any]) -> ColumnElement[bool]:
    """Rows after the one that has these sort keys: (a, b) > (x, y), written out for both databases."""
    key, value = keys[0], values[0]
    further: ColumnElement[bool] = key < value if descending else key > value
    if len(keys) == 1:
        return further
    # Said twice, so that an index can begin at the place: of an OR alone neither database makes a range.
    at_least = key <= value if descending else key >= value
    return and_(at_least, or_(further, and_(key == value, _beyond(keys[1:], descending, values[1:]))))


def _count(user: User, *conditions: ColumnElement[bool]) -> int:
    statement = select(func.count()).select_from(User)
    return db.session.scalar(statement.where(User.region == user.region, User.id != user.id, *conditions)) or 0
