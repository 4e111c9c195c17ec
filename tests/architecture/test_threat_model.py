"""The threat model names every requirement and every fault, and the tests it names exist."""

import re
from functools import cache

import pytest

from terristory.settings import PROJECT_ROOT

MODEL = (PROJECT_ROOT / "docs" / "threat-model.md").read_text()
LAST = {
    "PW": 16,
    "RS": 15,
    "LG": 13,
    "CP": 8,
    "RG": 11,
    "AZ": 12,
    "JW": 11,
    "RF": 10,
    "CK": 3,
    "CS": 5,
    "CO": 1,
    "HD": 8,
    "IN": 14,
    "ER": 2,
    "LO": 4,
    "CF": 6,
    "GD": 4,
    "AC": 1,
}
IDS = [f"{group}-{number}" for group, last in LAST.items() for number in range(1, last + 1)]
PROOF = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| ([A-Z]{2}-\d+) \| (.+) \| (.+) \|$", re.MULTILINE)


@cache
def names_in(file: str) -> set[str]:
    path = PROJECT_ROOT / "tests" / file
    return set(re.findall(r"def (test_\w+)\(", path.read_text())) if path.exists() else set()


def test_every_test_it_names_exists() -> None:
    named = PROOF.findall(MODEL)
    assert len(named) > 150
    assert [f"{file}::{test}" for file, test in named if test not in names_in(file)] == []


def test_it_has_one_row_for_each_requirement() -> None:
    assert [found[0] for found in ROW.findall(MODEL)] == IDS


@pytest.mark.parametrize(("name", "control", "proof"), ROW.findall(MODEL), ids=IDS)
def test_a_row_has_a_proof_or_says_why_not(name: str, control: str, proof: str) -> None:
    assert control.strip()
    assert PROOF.search(proof) or "*open*" in proof or "no such" in proof, name


def test_every_file_it_points_at_exists() -> None:
    for path in re.findall(r"`((?:terristory|deploy|tests)/[\w/.\-]+)`", MODEL):
        assert (PROJECT_ROOT / path).exists(), path


def test_every_chapter_of_the_standard_is_answered() -> None:
    chapters = [int(number) for number in re.findall(r"^\| V(\d+) ", MODEL, re.MULTILINE)]
    assert chapters == list(range(1, 18))
