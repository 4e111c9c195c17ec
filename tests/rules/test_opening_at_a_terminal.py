"""`regions open` in production: it asks whoever sits at a terminal, and only names what is missing to a script."""

import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.environment import PRODUCTION
from tests.support.server import FLASK, server_environment

ROOT = Path(__file__).resolve().parents[2]
# One line for each question, in the order of the questions; an address mistyped first, one thing left unsaid.
TYPED = [
    "not an address",
    "contact@bretagne.example",
    "Région Bretagne",
    "283 avenue du Général Patton, 35711 Rennes",
    "Le président de la région",
    "",
    "dpo@bretagne.example",
]

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Run a command in production, on a database that has its closed regions; `typed` are lines at a terminal."""
    database = f"sqlite:///{tmp_path / 'production.sqlite'}"
    environ = server_environment(1, {**PRODUCTION, "TERRISTORY_DATABASE_URL": database})

    def run(*arguments: str, typed: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        keyboard, terminal = pty.openpty()
        try:
            os.write(keyboard, "".join(line + "\n" for line in typed or []).encode())
            return subprocess.run(
                [*FLASK, *arguments],
                stdin=subprocess.DEVNULL if typed is None else terminal,
                capture_output=True, text=True, env=environ, cwd=ROOT, timeout=40, check=False,
            )  # fmt: skip
        finally:
            os.close(keyboard)
            os.close(terminal)

    for preparation in (("db", "upgrade"), ("regions", "load")):
        done = run(*preparation)
        assert done.returncode == 0, done.stderr
    return run


def test_at_a_terminal_each_missing_thing_is_asked_for_and_an_empty_answer_leaves_it_unsaid(command: Command) -> None:
    opened = command("regions", "open", "bretagne", typed=TYPED)
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout == "Open: bretagne\n"
    assert "must be a mail address" in opened.stderr
    assert opened.stderr.rstrip().endswith("`regions set` --hebergeur")
    assert "bretagne\topen\tBretagne\tcontact@bretagne.example" in command("regions", "list").stdout
    once_more = command("regions", "open", "bretagne", typed=["OVH, 2 rue Kellermann, Roubaix"])
    assert once_more.returncode == 0 and "set`" not in once_more.stderr
    assert once_more.stderr.count("--") == 1, once_more.stderr


def test_without_a_terminal_it_opens_and_names_what_is_missing(command: Command) -> None:
    opened = command("regions", "open", "bretagne")
    assert (opened.returncode, opened.stdout) == (0, "Open: bretagne\n")
    assert "`regions set` --contact --organisme --adresse" in opened.stderr


def test_an_unknown_region_is_refused_before_anything_is_kept(command: Command) -> None:
    opened = command("regions", "open", "bretagne", "atlantide", typed=TYPED)
    assert opened.returncode == 1 and "Unknown region" in opened.stderr
    assert "bretagne\tclosed\tBretagne\t-" in command("regions", "list").stdout
