"""Features depend downwards, doors on rules, and rules on no web library (contracts in pyproject.toml)."""

import shutil
import subprocess
import sys
from pathlib import Path

from terristory.settings import PROJECT_ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def test_every_import_goes_the_way_it_may():
    done = subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_a_rule_that_reaches_for_the_web_is_found(tmp_path):
    """The check itself can fail: the same contracts on a copy in which one rule imports Flask."""
    shutil.copytree(PROJECT_ROOT / "terristory", tmp_path / "terristory", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT_ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "terristory/user/wrong_rule.py").write_text('"""A rule."""\nfrom flask import request\n')
    done = subprocess.run(
        [LINT_IMPORTS, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode != 0
    assert "terristory.user.wrong_rule" in done.stdout
