"""The sign-in throttle: failures counted for the account, the network and the pair of both (OWASP Authentication).

Each try is counted before its password is looked at, and the count taken back when it was right: a burst of parallel
tries cannot slip through between the look and the count. Nobody can lock somebody else out: the account's own count
asks for nothing but the automatic check, and not even that where its owner is known.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from terristory.auth.models import Failure, Session
from terristory.database import is_sqlite, read_rows
from terristory.extensions import db
from terristory.settings import digest_of

CAPTCHA_AFTER = 5
PAIR_LIMIT = 20
NETWORK_LIMIT = 60
# Failures are "in a row" as long as no day lies between them.
FORGOTTEN_AFTER = timedelta(days=1)
KNOWN_FOR = timedelta(days=30)
SHORTEST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


_COUNTS = (
    select(Failure.key, Failure.count, Failure.last_at)
    .where(Failure.key.in_([bindparam("account"), bindparam("network"), bindparam("pair")]))
    .order_by(Failure.key)
)
_COUNTS_LOCKED = _COUNTS.with_for_update()


@dataclass(frozen=True)
class Keys:
    """Under which names one try is counted."""

    account: str
    network: str
    pair: str

    @property
    def all(self) -> list[str]:
        """The three, in one order for everybody: rows are always locked in it."""
        return sorted((self.account, self.network, self.pair))


@dataclass(frozen=True)
class Counts:
    """Failures in a row, and how long (whole seconds, 0: not at all) the next try has to wait."""

    account: int = 0
    network: int = 0
    pair: int = 0
    wait: int = 0

    def captcha_needed(self, *, known: bool) -> bool:
        """Whether the next try needs the automatic check; a known owner is exempt from the account's count."""
        counts = (self.network, self.pair) if known else (self.account, self.network, self.pair)
        return max(counts) >= CAPTCHA_AFTER


def keys_of(region: str, mail_canonical: str, network: str) -> Keys:
    """Return the keys of a try; the address in canonical form, or what was typed where it is no address."""
    account = f"account:{region}:{mail_canonical}"
    return Keys(digest_of(account), digest_of(f"network:{network}"), digest_of(f"pair:{network}:{account}"))


def lock_counts(keys: Keys, *, now: datetime, pair_limit: int = PAIR_LIMIT) -> Counts:
    """Read the counts and keep other tries of these keys waiting until the caller's transaction ends."""
    insert = sqlite_insert if is_sqlite() else postgresql_insert
    blank = [{"key": key, "count": 0, "last_at": now} for key in keys.all]
    db.session.execute(insert(Failure).values(blank).on_conflict_do_nothing(index_elements=[Failure.key]))
    return _read(keys, now=now, pair_limit=pair_limit, lock=True)


def read_counts(keys: Keys, *, now: datetime, pair_limit: int = PAIR_LIMIT) -> Counts:
    """Read the counts without a lock."""
    return _read(keys, now=now, pair_limit=pair_limit, lock=False)


def count_failure(keys: Keys, *, now: datetime, account_too: bool = True) -> None:
    """Count a try as failed, until `forget_failures` takes it back; call it after `lock_counts`.

    `account_too=False`: a try without the automatic check costs its sender nothing, so it weighs on its network only.
    """
    counted = keys.all if account_too else sorted((keys.network, keys.pair))
    old = now - FORGOTTEN_AFTER
    db.session.execute(update(Failure).where(Failure.key.in_(counted), Failure.last_at <= old).values(count=0))
    statement = update(Failure).where(Failure.key.in_(counted)).values(count=Failure.count + 1, last_at=now)
    db.session.execute(statement.execution_options(synchronize_session=False))


def forget_failures(keys: Keys, *, now: datetime) -> None:
    """After a right password: forget the account's and the pair's failures, and the pair's share of the network's.

    The rest of the network's count stays: an attacker who signs in to an account of his own between two guesses must
    not win his budget back.
    """
    counts = lock_counts(keys, now=now)
    left = max(0, counts.network - counts.pair)
    db.session.execute(delete(Failure).where(Failure.key.in_(sorted((keys.account, keys.pair)))))
    db.session.execute(update(Failure).where(Failure.key == keys.network).values(count=left))


def is_known(user_id: UUID | None, *, device_digest: str, network: str, now: datetime) -> bool:
    """Return whether the account signed in from this device or this network during the last 30 days."""
    # Asked for an unknown account too (no session has this id): the same work, the same time.
    here = [and_(Session.network == network, Session.network != "")]
    if device_digest:
        here.append(Session.device_digest == device_digest)
    recent = Session.last_used_at >= now - KNOWN_FOR
    statement = select(exists().where(Session.user_id == (user_id or UUID(int=0)), recent, or_(*here)))
    return bool(db.session.scalar(statement))


def captcha_needed(keys: Keys, *, known: bool, now: datetime) -> bool:
    """Return whether the next try under these keys needs the automatic check."""
    return read_counts(keys, now=now).captcha_needed(known=known)


def blocked_for(keys: Keys, *, now: datetime) -> int:
    """Return the whole seconds that the next try under these keys has to wait; 0 when it need not."""
    return read_counts(keys, now=now).wait


def _read(keys: Keys, *, now: datetime, pair_limit: int, lock: bool) -> Counts:
    rows = read_rows(_COUNTS_LOCKED if lock else _COUNTS, asdict(keys))
    found = {key: (count, last_at) for key, count, last_at in rows if last_at > now - FORGOTTEN_AFTER}
    none = (0, now)
    pair, network = found.get(keys.pair, none), found.get(keys.network, none)
    wait = max(_wait(*pair, limit=pair_limit, now=now), _wait(*network, limit=NETWORK_LIMIT, now=now))
    return Counts(found.get(keys.account, none)[0], network[0], pair[0], wait)


def _wait(count: int, last_at: datetime, *, limit: int, now: datetime) -> int:
    """Half a minute from the limit on, twice as long with each further failure, an hour at most."""
    if count < limit:
        return 0
    pause = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(count - limit, 10))
    left = (last_at + pause - now).total_seconds()
    return max(0, -int(-left // 1))
