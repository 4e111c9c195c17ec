"""How the queries grow: 1 k, 100 k and 1 M accounts on both databases, and the desk of a region of 100,000.

`python -m benchmarks.growth` fills throw-away databases and measures in process: the time of the database (all
statements of a question, until their rows are there) and, for the desk's pages, the time of the server.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import event, func, insert, select, text

from benchmarks.components import stand
from benchmarks.growth_chart import Timed, growth_chart
from benchmarks.people import PASSWORD, REGION, row_of
from benchmarks.report import machine
from terristory.admin.desk import Question, find_users
from terristory.api.paging import encode_cursor
from terristory.app import create_app
from terristory.audit.models import AuditLine
from terristory.auth.models import Session, TemporaryPassword
from terristory.auth.temporary_password import is_current_or_past_temporary
from terristory.clock import utc_now
from terristory.database import is_sqlite, transaction, unhurried_connection
from terristory.extensions import db
from terristory.operations.prepare import prepare
from terristory.passwords.hashing import hash_password
from terristory.regions.lookup import all_regions
from terristory.settings import PROJECT_ROOT, read_settings
from terristory.user.lookup import password_of
from terristory.user.mail_address import folded
from terristory.user.models import Role, Status, User
from tests.support.environment import service_environment

SIZES = (1_000, 100_000, 1_000_000)
DESK = 100_000
ROUNDS = 15
PORTION = 5_000
# Of ten accounts six are of one big region, the others of all.
SHARE_OF_BIG_REGION = 0.6
STATUSES = (Status.ACTIVE,) * 17 + (Status.AWAITING, Status.REFUSED, Status.UNCONFIRMED)
FIRST = ("Camille", "Jeanne", "Élodie", "Yannick", "Maël", "Nolwenn", "Inès", "Thomas", "Aïcha", "Bruno")
LAST = ("Le Goff", "Martin", "Nguyễn", "Dupont", "Garcia", "Bernard", "Lefèvre", "Moreau", "O'Brien", "Petit")
PLACES = ("Brest", "Rennes", "Lille", "Lyon", "Bastia", "Nantes", "Metz", "Pau", "Tours", "Dijon")
RARE = "zéphyrine"


def people(accounts: int, regions: list[str], password_hash: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of so many accounts; the same ones at each call. The first is the big region's administrator."""
    chance = random.Random(2026)
    now = utc_now()
    for number in range(accounts):
        region = REGION if number == 0 or chance.random() < SHARE_OF_BIG_REGION else chance.choice(regions)
        prenom, nom, place = chance.choice(FIRST), chance.choice(LAST), chance.choice(PLACES)
        prenom = RARE.capitalize() if number == accounts // 2 else prenom
        status = Status.ACTIVE if number == 0 else chance.choice(STATUSES)
        organisation = f"Communauté de communes de {place} {number % 500}"
        row = row_of(number, password_hash, now - timedelta(minutes=accounts - number))
        yield row | {
            "id": UUID(int=chance.getrandbits(128)),
            "region": region,
            "prenom": prenom,
            "nom": nom,
            "organisation": organisation,
            "role": Role.ADMIN if number == 0 else Role.USER,
            "status": status,
            "last_sign_in_at": row["created_at"] + timedelta(days=1) if number % 3 else None,
            "search_text": folded(prenom, nom, row["mail"], organisation),
        }


def fill(accounts: int) -> None:
    """Fill an empty database with so many accounts, each with a session, and a line in the audit trail."""
    password_hash = hash_password(PASSWORD)
    portion: list[dict[str, Any]] = []
    for row in people(accounts, [region.key for region in all_regions()], password_hash):
        portion.append(row)
        if len(portion) == PORTION or len(portion) == accounts:
            _store(portion)
            portion = []
    settle()


def settle() -> None:
    """Do what the database does by itself in time: PostgreSQL's autovacuum is off here, so it is run by hand.

    Without it a search also reads all that its index has not yet sorted in, and a count looks up every row.
    """
    if is_sqlite():
        with db.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
        return
    with unhurried_connection() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (ANALYZE)"))


def _store(rows: list[dict[str, Any]]) -> None:
    now = utc_now()
    sessions = [
        {"user_id": row["id"], "device": "Banc", "created_at": now, "last_used_at": now,
         "expires_at": now + timedelta(days=30)} for row in rows
    ]  # fmt: skip
    lines = [
        {"at": row["created_at"], "region": row["region"], "event": "user.created", "subject": row["id"], "details": {}}
        for row in rows
    ]
    # The one that each of them signed in with at first; it is kept as long as the account.
    served = [
        {"user_id": row["id"], "digest": row["id"].hex * 2, "life_seconds": 3600, "created_at": row["created_at"],
         "used_at": row["created_at"], "superseded_at": row["created_at"]} for row in rows
    ]  # fmt: skip
    with transaction():
        connection = db.session.connection()
        connection.execute(insert(User), rows)
        connection.execute(insert(Session), sessions)
        connection.execute(insert(AuditLine), lines)
        connection.execute(insert(TemporaryPassword), served)


@contextmanager
def database_time() -> Iterator[list[float]]:
    """Collect, for the time of a `with`, how long each statement took, its rows fetched or not, in seconds."""
    began: list[float] = []
    spent: list[float] = []

    def before(*_arguments: Any) -> None:
        began.append(time.perf_counter())

    def after(*_arguments: Any) -> None:
        spent.append(time.perf_counter() - began.pop())

    event.listen(db.engine, "before_cursor_execute", before)
    event.listen(db.engine, "after_cursor_execute", after)
    try:
        yield spent
    finally:
        event.remove(db.engine, "before_cursor_execute", before)
        event.remove(db.engine, "after_cursor_execute", after)


def median_of_database(question: Callable[[], Any]) -> float:
    """Return the median database time of a question, in milliseconds; SQLite looks for rows as they are fetched."""
    question()
    samples = []
    for _round in range(ROUNDS):
        db.session.remove()
        with database_time() as spent:
            began = time.perf_counter()
            question()
            whole = time.perf_counter() - began
        # Building the objects is not the database's work, but SQLite finds rows while they are made: the longer counts.
        samples.append(whole if db.engine.dialect.name == "sqlite" else sum(spent))
    return statistics.median(samples) * 1000


def median_of_server(act: Callable[[], Any]) -> float:
    """Return the median time of an act in process, in milliseconds."""
    act()
    samples = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        act()
        samples.append(time.perf_counter() - began)
    return statistics.median(samples) * 1000


def questions(app: Flask) -> dict[str, Callable[[], Any]]:
    """Return the questions of performance.md, ready to be asked."""
    client, token = app.test_client(use_cookies=False), access_token(app)
    middle = db.session.scalar(select(func.count()).select_from(User).where(User.region == REGION)) or 0
    after = cursor_at(middle // 2)
    return {
        "sign-in lookup": lambda: is_current_or_past_temporary(
            password_of(REGION, "user0@example.org")[0] or UUID(int=0), PASSWORD
        ),
        "me": lambda: expect_200(client.get(f"/api/{REGION}/auth/me", headers={"Authorization": f"Bearer {token}"})),
        "queue, first page": lambda: find_users(REGION, Question(status=Status.AWAITING)),
        "list, deep page": lambda: find_users(REGION, Question(sort="created_at", after=after)),
        "search, a rare word": lambda: find_users(REGION, Question(q=RARE)),
        "search, a common word": lambda: find_users(REGION, Question(q="communaute brest")),
        "search, no hit": lambda: find_users(REGION, Question(q="xylophone")),
    }


def gather_in_one_region() -> None:
    """Let all accounts be of the big region, with the database's house in order, as it would be after a night."""
    update = text('UPDATE "user" SET region = :region')
    if db.engine.dialect.name == "sqlite":
        db.session.execute(update, {"region": REGION})
        db.session.commit()
    else:
        with unhurried_connection() as connection:
            connection.execute(update, {"region": REGION})
    settle()


def cursor_at(place: int) -> str:
    """Return the cursor of a page in the middle of the list."""
    rows = select(User.id).where(User.region == REGION).order_by(User.created_at, User.id)
    user = db.session.get(User, db.session.scalar(rows.offset(max(0, place - 2)).limit(1)))
    assert user is not None
    return encode_cursor("created_at", user.created_at.isoformat(), user.id.hex)


def access_token(app: Flask) -> str:
    """Sign the administrator in and return the access token."""
    body = {"login": "user0@example.org", "password": PASSWORD}
    answer = app.test_client(use_cookies=False).post(f"/api/{REGION}/auth", json=body)
    return str(expect_200(answer).get_json()["access_token"])


def expect_200(answer: Any) -> Any:
    """Return the answer; raises RuntimeError for any but a good one."""
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request.path} answered {answer.status_code}")
    return answer


def desk_pages(app: Flask) -> dict[str, Callable[[], Any]]:
    """Return the administrators' pages, ready to be asked by somebody signed in."""
    client = app.test_client()
    body = {"login": "user0@example.org", "password": PASSWORD}
    expect_200(client.post(f"/api/{REGION}/user/auth", json=body))
    request = db.session.scalar(select(User.id).where(User.region == REGION, User.status == Status.AWAITING).limit(1))
    after = cursor_at(DESK // 3)
    paths = {
        "to decide": "comptes",
        **{f"tab {status.value}": f"comptes?status={status.value}" for status in Status},
        "deep page": f"comptes?sort=created_at&after={after}",
        "search, a rare word": f"comptes?q={RARE}",
        "search, a common word": "comptes?q=communaute+brest",
        "search, no hit": "comptes?q=xylophone",
        "sorted by name": "comptes?sort=nom",
        "sorted by last sign-in": "comptes?sort=-last_sign_in_at",
        "one request": f"comptes/{request}",
        "journal": "journal",
        "journal of one account": f"journal?user={request}",
    }
    return {
        name: lambda path=path: expect_200(client.get(f"/{REGION}/admin/{path}"))  # type: ignore[misc]
        for name, path in paths.items()
    }


@contextmanager
def filled(url: str, accounts: int) -> Iterator[Flask]:
    """An app on a database of so many accounts, within its context."""
    settings = read_settings(service_environment(DATABASE_URL=url, RATE_LIMITS="off", ACCESS_TOKEN_SECONDS=86400))
    app = create_app(settings)
    with app.app_context():
        prepare(settings)
        began = time.perf_counter()
        fill(accounts)
        print(f"  {accounts:,} accounts filled in {time.perf_counter() - began:.0f} s", flush=True)
        yield app
        db.session.remove()
        db.engine.dispose()


def measure(database: str, url_of: Callable[[int], str], sizes: tuple[int, ...]) -> tuple[list[Timed], list[Timed]]:
    """Measure the questions at each size, and the desk at DESK accounts (that region's share of them and all)."""
    grown, desk = [], []
    for accounts in sizes:
        print(f"{database}, {accounts:,}", flush=True)
        with filled(url_of(accounts), accounts) as app:
            for name, question in questions(app).items():
                grown.append(Timed(database, accounts, name, median_of_database(question)))
                print(f"  {name}: {grown[-1].milliseconds:.3f} ms", flush=True)
            if accounts == DESK:
                gather_in_one_region()
                for name, page in desk_pages(app).items():
                    desk.append(Timed(database, accounts, name, median_of_server(page)))
                    print(f"  desk, {name}: {desk[-1].milliseconds:.1f} ms", flush=True)
    return grown, desk


def markdown(grown: list[Timed], desk: list[Timed], facts: dict[str, str], title: str, picture: str) -> str:
    """Return the results as a page."""
    sizes = sorted({one.accounts for one in grown})
    lines = [f"# {title}", "", f"![{title}]({picture})", "", "Medians of the database's time, in milliseconds.", ""]
    lines += ["| database | question | " + " | ".join(f"{size:,}" for size in sizes) + " | growth | verdict |"]
    lines += ["|" + " --- |" * (len(sizes) + 4)]
    for database, question in dict.fromkeys((one.database, one.question) for one in grown):
        times = [one.milliseconds for one in grown if (one.database, one.question) == (database, question)]
        growth = times[-1] / times[0]
        cells = " | ".join(f"{value:.3f}" for value in times)
        lines.append(f"| {database} | {question} | {cells} | {growth:.1f} × | {verdict(growth, times[-1])} |")
    if desk:
        lines += ["", f"The desk of a region of {DESK:,} accounts: medians of the server's time, in milliseconds.", ""]
        lines += ["| database | page | time | under 100 ms |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {page.database} | {page.question} | {page.milliseconds:.1f} | {_yes_or_no(page.milliseconds < 100)} |"
            for page in desk
        ]
    return "\n".join([*lines, "", *(f"- {name}: {value}" for name, value in facts.items()), ""])


def verdict(growth: float, milliseconds: float) -> str:
    """Judge a question by performance.md: at most twice its time is the goal, three times and 10 ms the floor."""
    if growth <= 2 and milliseconds <= 10:
        return "goal met"
    return "above the floor" if growth <= 3 and milliseconds <= 10 else "under the floor"


def _yes_or_no(holds: bool) -> str:
    return "yes" if holds else "no"


def main() -> int:
    """Measure and keep the results in benchmarks/results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--results", type=Path, default=PROJECT_ROOT / "benchmarks" / "results")
    asked = parser.parse_args()
    at, facts = datetime.now().astimezone(), machine()
    grown: list[Timed] = []
    desk: list[Timed] = []
    with tempfile.TemporaryDirectory() as name, stand(Path(name), ("SQLite", "PostgreSQL")) as here:
        folder = Path(name)
        urls: dict[str, Callable[[int], str]] = {"SQLite": lambda size: f"sqlite:///{folder / f'{size}.sqlite'}"}
        if here.databases["PostgreSQL"]:
            urls["PostgreSQL"] = lambda size: here.new_postgresql(f"grown_{size}")
        for database, url_of in urls.items():
            more_grown, more_desk = measure(database, url_of, tuple(asked.sizes))
            grown, desk = grown + more_grown, desk + more_desk
    name, title = f"growth-{at:%Y-%m-%d-%H%M}", f"growth, {at:%Y-%m-%d %H:%M}"
    asked.results.mkdir(parents=True, exist_ok=True)
    page = markdown(grown, desk, facts, title, f"{name}.svg")
    values = {"at": at.isoformat(timespec="seconds"), "machine": facts,
              "grown": [vars(one) for one in grown], "desk": [vars(one) for one in desk]}  # fmt: skip
    (asked.results / f"{name}.md").write_text(page, encoding="utf-8")
    (asked.results / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    (asked.results / f"{name}.svg").write_text(growth_chart(grown, title), encoding="utf-8")
    print("\n" + page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
