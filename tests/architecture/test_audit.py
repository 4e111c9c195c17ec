"""`make audit` fails whenever it has not audited: behind some mirrors its tool skips every package and is content."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from terristory.settings import PROJECT_ROOT

# Stands in for the tool, with its words and exit statuses: it knows nothing, all but one package, or everything.
AUDITOR = """
import sys
from pathlib import Path

knows, arguments = {knows!r}, sys.argv[1:]
canary = "jinja2==2.4.1" in Path(arguments[arguments.index("--requirement") + 1]).read_text()
if knows == "nothing" or not canary and knows == "most" and "--strict" not in arguments:
    print("Name Skip Reason\\njinja2 Dependency not found and could not be audited: jinja2 (2.4.1)")
    sys.exit(0)
if canary:
    print("Name Version ID\\njinja2 2.4.1 PYSEC-2014-8")
    sys.exit(1)
sys.exit(1 if knows in ("most", "an advisory") else 0)
"""


# One after the other: each run of it writes the same file in .venv.
@pytest.mark.xdist_group("make audit")
@pytest.mark.parametrize(
    ("knows", "succeeds", "said"),
    [
        ("nothing", False, "Nothing was audited"),
        ("most", False, "could not be looked up"),
        ("an advisory", False, "an advisory above"),
        ("everything", True, ""),
    ],
)
def test_an_audit_succeeds_only_when_every_package_was_looked_up(
    tmp_path: Path, knows: str, succeeds: bool, said: str
) -> None:
    make = shutil.which("make")
    assert make is not None
    (tmp_path / "pip_audit.py").write_text(AUDITOR.format(knows=knows))
    done = subprocess.run(
        # The stamp counts as new: whether .venv is up to date is not the question.
        [make, "-o", ".venv/installed-dev", "audit"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    assert said in done.stderr
