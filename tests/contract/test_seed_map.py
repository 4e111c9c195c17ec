"""docs/seed-map.md points at code that is there, and every function that the seed names keeps its name."""

import ast
import re

import pytest

from terristory.settings import PROJECT_ROOT

MAP = PROJECT_ROOT / "docs" / "seed-map.md"
NAMED_BY_THE_SEED = {
    "authenticate",
    "extra_payload",
    "retrieve_refresh_token",
    "retrieve_user",
    "store_refresh_token",
    "authenticate_user",
    "check_token_captcha",
    "create_user",
    "generate_password",
    "regenerate_password",
}


def linked() -> list[str]:
    return re.findall(r"\]\(\.\./([\w/.]+)\)", MAP.read_text())


@pytest.mark.parametrize("path", sorted(set(linked())))
def test_a_link_leads_somewhere(path):
    assert (PROJECT_ROOT / path).exists()


def test_every_function_of_the_seed_is_in_the_code_under_its_name():
    files = (PROJECT_ROOT / "terristory").rglob("*.py")
    trees = [ast.parse(file.read_text()) for file in files]
    defined = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert NAMED_BY_THE_SEED - defined == set()


def test_every_function_of_the_seed_has_its_row():
    rows = [row.split("|")[1] for row in MAP.read_text().splitlines() if row.startswith("|")]
    assert {name for name in NAMED_BY_THE_SEED if not any(f"{name}(" in row for row in rows)} == set()
