"""What became of a decision: said as values, because a conflict must not undo what else its door does."""

from dataclasses import dataclass

from terristory.user.models import User


@dataclass(frozen=True)
class Done:
    """The decision was taken now, by this caller."""

    user: User


@dataclass(frozen=True)
class Already:
    """It held before: nothing was changed, mailed or traced."""

    user: User


@dataclass(frozen=True)
class Conflict:
    """The account's state, or whose it is, forbids the decision; `code` is stable (contract, section 1)."""

    code: str
    user: User


@dataclass(frozen=True)
class Unknown:
    """No account of that id in the region."""


Outcome = Done | Already | Conflict | Unknown
