"""Production refuses to start on a dangerous setting, and says which, never with what value."""

import subprocess
from pathlib import Path

import pytest

from tests.support.environment import PRODUCTION
from tests.support.server import FLASK, server_environment

ROOT = Path(__file__).resolve().parents[2]


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command with exactly these settings."""
    return subprocess.run(
        [*FLASK, *arguments],
        env=server_environment(1, environ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


@pytest.mark.parametrize(
    ("named", "change"),
    [
        ("TERRISTORY_SECRET_KEY", {"TERRISTORY_SECRET_KEY": ""}),
        ("TERRISTORY_SECRET_KEY", {"TERRISTORY_SECRET_KEY": "canary-too-short"}),
        ("TERRISTORY_SECRET_KEY", {"TERRISTORY_SECRET_KEY": "canarycanary" * 6}),
        ("TERRISTORY_PUBLIC_URL", {"TERRISTORY_PUBLIC_URL": "http://canary.example.fr"}),
        ("TERRISTORY_PUBLIC_URL", {"TERRISTORY_PUBLIC_URL": ""}),
        ("TERRISTORY_SMTP_URL", {"TERRISTORY_SMTP_URL": ""}),
        ("TERRISTORY_SMTP_URL", {"TERRISTORY_SMTP_URL": "smtp+plain://canary.example.fr"}),
        ("TERRISTORY_MAIL_FROM", {"TERRISTORY_MAIL_FROM": ""}),
        ("TERRISTORY_OPERATOR_MAIL", {"TERRISTORY_OPERATOR_MAIL": ""}),
        ("TERRISTORY_RATE_LIMITS", {"TERRISTORY_RATE_LIMITS": "off"}),
        ("TERRISTORY_WEB_WORKERS", {"TERRISTORY_WEB_WORKERS": "2"}),
        ("TERRISTORY_ARGON2_MEMORY_KIB", {"TERRISTORY_ARGON2_MEMORY_KIB": "1024"}),
        ("FLASK_DEBUG", {"FLASK_DEBUG": "1"}),
        ("FLASK_TESTING", {"FLASK_TESTING": "1"}),
    ],
)
def test_production_does_not_start(tmp_path: Path, named: str, change: dict[str, str]) -> None:
    database = {"TERRISTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'never.sqlite'}"}
    done = run({**PRODUCTION, **database, **change}, "serve")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert named in output
    assert "canary" not in output and "Traceback" not in output
    assert not (tmp_path / "never.sqlite").exists()


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    nothing = {
        "TERRISTORY_ENV": "production",
        "TERRISTORY_PUBLIC_URL": "",
        "TERRISTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'never.sqlite'}",
    }
    done = run(nothing, "serve")
    for name in ("SECRET_KEY", "PUBLIC_URL", "SMTP_URL", "MAIL_FROM", "OPERATOR_MAIL"):
        assert f"TERRISTORY_{name} is missing" in done.stderr


def test_production_opens_no_region_and_makes_no_account(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "TERRISTORY_DATABASE_URL": f"sqlite:///{tmp_path / 'production.sqlite'}"}
    assert run(environ, "db", "upgrade").returncode == 0
    loaded = run(environ, "regions", "load")
    assert "18 regions added" in loaded.stdout
    listed = run(environ, "regions", "list").stdout
    assert "\topen\t" not in listed and listed.count("\tclosed\t") == 18
    opened = run(environ, "regions", "open", "bretagne")
    assert opened.returncode == 0
    # It opens because the operator says so, and is told what its people must still be able to read.
    assert "--organisme" in opened.stderr and "--contact" in opened.stderr
    assert run(environ, "regions", "list").stdout.count("\topen\t") == 1
