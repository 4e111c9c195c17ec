"""How the database answers what requests ask: no act of one person may read a growing table from end to end.

Every statement that a request of the suite runs on SQLite is explained, once a process; SQLite decides by the indexes
alone, so small tables of tests tell the truth about big ones. The checking client fails the request that scanned.
"""

import re
import sqlite3
from typing import Any

import flask
from sqlalchemy import Engine, event

# Tables of a few rows, whatever happens.
SMALL = {"region", "audit_retention", "alembic_version"}
# Counts over everything for machines, and a page of development that shows the newest mails of all.
EXEMPT = ("/metrics", "/dev/")
_SCANNED = re.compile(r"^SCAN (?!CONSTANT ROW)(\w+)")
_explained: dict[str, list[str]] = {}
_found: list[str] = []


@event.listens_for(Engine, "before_cursor_execute")
def _explain(_connection: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
    if many or not flask.has_request_context() or flask.request.path.startswith(EXEMPT):
        return
    if isinstance(getattr(cursor, "connection", None), sqlite3.Connection):
        _found.extend(
            f"{scanned} is read from end to end: {statement}" for scanned in scans(cursor, statement, parameters)
        )


def scans(cursor: sqlite3.Cursor, statement: str, parameters: Any) -> list[str]:
    """Return the growing tables that a statement reads whole, with the whole line of the plan."""
    if statement not in _explained:
        lines = []
        if statement.split(None, 1)[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH"):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            lines = [str(line[-1]) for line in plan]
        _explained[statement] = [
            line for line in lines if (found := _SCANNED.match(line)) and _table(found.group(1), statement) not in SMALL
        ]
    return _explained[statement]


def taken() -> list[str]:
    """Return what was found since the last call, and forget it."""
    found = _found[:]
    _found.clear()
    return found


def _table(name: str, statement: str) -> str:
    """Return the table behind an alias."""
    alias = re.search(rf'"?(\w+)"? AS "?{re.escape(name)}"?\b', statement)
    return alias.group(1) if alias else name
