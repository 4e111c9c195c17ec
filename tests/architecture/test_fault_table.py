"""The table of faults names tests that exist, and every test of faults is in it."""

import re

from terristory.settings import PROJECT_ROOT
from tests.architecture.test_threat_model import PROOF, names_in

TABLE = (PROJECT_ROOT / "docs" / "pannes.md").read_text()
ROW = re.compile(r"^\| (?!Panne|---)(.+) \| (.+) \| (.+) \|$", re.MULTILINE)
# What a fault does not cause: how the service starts, what it refuses, what its roles may do.
OF_OTHER_THINGS = {
    "test_container.py",
    "test_postgres_roles.py",
    "test_production_refusals.py",
    "test_web_only.py",
}


def test_every_test_it_names_exists() -> None:
    named = PROOF.findall(TABLE)
    assert len(named) > 30
    assert [f"{file}::{test}" for file, test in named if test not in names_in(file)] == []


def test_a_row_names_its_test_or_says_that_there_is_none() -> None:
    rows = ROW.findall(TABLE)
    assert len(rows) > 30
    assert [fault for fault, _seen, proof in rows if not PROOF.search(proof) and proof != "*sans test*"] == []


def test_every_file_of_faults_is_in_it() -> None:
    files = {path.name for path in (PROJECT_ROOT / "tests" / "faults").glob("test_*.py")}
    named = {file.removeprefix("faults/") for file, _test in PROOF.findall(TABLE)}
    assert files - OF_OTHER_THINGS <= named
