"""One decision on many accounts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from terristory.admin.outcomes import Already, Conflict, Done, Outcome
from terristory.user.models import User

Word = Literal["done", "already", "conflict", "unknown"]
MOST_TOGETHER = 100


@dataclass(frozen=True)
class Result:
    """What became of one id; `code` says why for a conflict, `user` is the account when there is one."""

    id: str
    result: Word
    code: str | None = None
    user: User | None = None


def decide_together(ids: Sequence[str], decide: Callable[[UUID], Outcome]) -> list[Result]:
    """Take a decision on each account and return the results in the order of `ids`; an id given twice counts once.

    The accounts are gone through in the order of their ids, so that two such lists at once never wait for each other.
    """
    wanted = {text: _as_uuid(text) for text in ids}
    outcomes = {user_id: decide(user_id) for user_id in sorted({item for item in wanted.values() if item is not None})}
    results = []
    for text in ids:
        user_id = wanted[text]
        results.append(Result(text, "unknown") if user_id is None else _result(text, outcomes[user_id]))
    return results


def _result(text: str, outcome: Outcome) -> Result:
    match outcome:
        case Done(user):
            return Result(text, "done", user=user)
        case Already(user):
            return Result(text, "already", user=user)
        case Conflict(code, user):
            return Result(text, "conflict", code, user)
        case _:
            return Result(text, "unknown")


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
