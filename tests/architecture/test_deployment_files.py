"""What an operator copies works as it stands: units, containers, proxy, and every command of the documentation."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import flask_migrate.cli
import pytest
import yaml

from terristory.app import create_app
from terristory.operations.serve import GRACE_SECONDS
from terristory.settings import PREFIX, PROJECT_ROOT, read_settings
from tests.architecture.test_settings_list import listed
from tests.support.components import require
from tests.support.environment import service_environment

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.glob("terristory*.*") if path.suffix in (".service", ".timer"))
FLASK_IN_UNITS = "/opt/terristory/.venv/bin/flask"
DOCUMENTS = ("README.md", "docs/installation.md", "docs/exploitation.md", "docs/rgpd.md", "docs/administration.md")
# How commands are called, and the shorthands of docs/installation.md for the same.
CALLS = ("flask --app wsgi ", "terristory-owner ", "terristory ")


def settings_of(path: Path) -> dict[str, str]:
    """`Name=value` lines of a unit, the last of each name."""
    return dict(re.findall(r"^([A-Z]\w+)=(.*)$", path.read_text(), re.MULTILINE))


def documented_commands() -> list[str]:
    """Every command of the service that a document prints, in a block or between backquotes."""
    found = []
    for name in DOCUMENTS:
        text = (PROJECT_ROOT / name).read_text().replace("\\\n", " ")
        fences = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        lines = [line for fence in fences for line in fence.splitlines()] + re.findall(r"`([^`\n]+)`", text)
        for line in lines:
            for call in CALLS:
                if line.startswith(call) and "…" not in line:
                    # Without what the shell does with it.
                    command, *_rest = re.split(r" [>|&#]", line.removeprefix(call))
                    found.append(command.strip())
    return found


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> click.Group:
    nowhere = tmp_path_factory.mktemp("commands") / "never.sqlite"
    app = create_app(read_settings(service_environment(DATABASE_URL=f"sqlite:///{nowhere}")))
    group = click.Group(commands=dict(app.cli.commands))
    group.add_command(flask_migrate.cli.db)
    return group


def parse(group: click.Command, words: list[str]) -> None:
    """Take a command line apart as click would, without running it; raises UsageError when it could not."""
    while isinstance(group, click.Group):
        name, *words = words
        command = group.commands.get(name)
        if command is None:
            raise click.UsageError(f"no command {name}")
        group = command
    group.make_context(str(group.name), words)


def test_the_documents_print_commands() -> None:
    assert len(documented_commands()) >= 25


@pytest.mark.parametrize("line", dict.fromkeys(documented_commands()), ids=str)
def test_a_documented_command_exists_with_its_options(commands: click.Group, line: str) -> None:
    # A date or a folder is for the shell to fill in.
    parse(commands, shlex.split(line.replace("$(date +%F)", "today")))


@pytest.mark.parametrize("line", ["serve --fast", "users vanish --region bretagne", "regions set", "no-such"])
def test_a_command_that_does_not_exist_is_noticed(commands: click.Group, line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(commands, shlex.split(line))


@pytest.mark.parametrize("unit", [name for name in UNITS if name.endswith(".service")])
def test_a_unit_runs_a_command_that_exists_hardened_and_within_bounds(commands: click.Group, unit: str) -> None:
    settings = settings_of(DEPLOY / unit)
    program, *words = settings["ExecStart"].split()
    assert program == FLASK_IN_UNITS and words[:2] == ["--app", "wsgi"]
    parse(commands, words[2:])
    assert settings["User"] == "terristory"
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictSUIDSGID"):
        assert settings[name] == "yes"
    assert settings["ProtectSystem"] == "strict" and settings["CapabilityBoundingSet"] == ""
    assert re.fullmatch(r"\d+[MG]", settings["MemoryMax"])
    if settings["Type"] != "oneshot":
        assert settings["Restart"] in ("on-failure", "always")
        assert int(settings["TimeoutStopSec"]) > GRACE_SECONDS + 5


def test_systemd_itself_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    systemd = require("systemd-analyze", shutil.which("systemd-analyze"), "apt install systemd")
    flask = Path(sys.executable).with_name("flask")
    for unit in UNITS:
        # The one thing that is not here is the folder of an installed service.
        (tmp_path / unit).write_text((DEPLOY / unit).read_text().replace(FLASK_IN_UNITS, str(flask)))
    arguments = [systemd, "verify", "--man=no", "--recursive-errors=no", *(tmp_path / unit for unit in UNITS)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def containerfile() -> list[tuple[str, str]]:
    """The instructions of the Containerfile."""
    lines = [line for line in (DEPLOY / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def test_the_container_takes_what_is_there_and_builds_it_as_the_makefile_does() -> None:
    instructions = containerfile()
    for name, value in instructions:
        if name == "COPY" and not value.startswith("--from"):
            assert all((PROJECT_ROOT / source).exists() for source in value.split()[:-1]), value
    copied = {value.split()[-1].split("/")[-1] for name, value in instructions if name == "COPY"}
    assert {"terristory", "migrations", "static", "templates"} <= copied
    steps = " ".join(value for name, value in instructions if name == "RUN")
    makefile = (PROJECT_ROOT / "Makefile").read_text()
    for step in ("--require-hashes", "-r requirements.txt", "babel.messages.frontend"):
        assert step in steps and step in makefile
    python = next(value for name, value in instructions if name == "FROM").split(":")[1].split("-")[0]
    assert tuple(int(part) for part in python.split(".")) >= (3, 11)


def test_the_container_runs_a_command_that_exists_as_nobody_in_particular(commands: click.Group) -> None:
    last = dict(containerfile())
    program, *words = yaml.safe_load(last["CMD"])
    assert program == FLASK_IN_UNITS and words[:2] == ["--app", "wsgi"]
    parse(commands, words[2:])
    assert last["USER"] == "terristory" and last["STOPSIGNAL"] == "SIGTERM"
    names = re.findall(r"([A-Z_]+)=", last["ENV"])
    ours = [name for name in names if not name.startswith("PYTHON")]
    assert set(ours) <= set(listed())


def test_all_that_listens_and_all_that_calls_agree_on_the_port() -> None:
    last = dict(containerfile())
    assert "PORT=8000" in last["ENV"] and last["EXPOSE"] == "8000" and "127.0.0.1:8000/livez" in last["HEALTHCHECK"]
    web = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]
    assert web["environment"]["PORT"] == "8000" and web["ports"] == ["127.0.0.1:8000:8000"]
    assert "server 127.0.0.1:8000;" in (DEPLOY / "nginx.conf").read_text()
    assert "PORT=8000" in (DEPLOY / "terristory.env.example").read_text().splitlines()


def test_compose_asks_for_health_as_the_container_does() -> None:
    web = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]
    command = yaml.safe_load(dict(containerfile())["HEALTHCHECK"].split("CMD ", 1)[1])
    assert web["healthcheck"]["test"] == ["CMD", *command]


def test_compose_names_settings_and_files_that_exist() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    web = compose["services"]["web"]
    assert set(web["environment"]) <= set(listed())
    assert (DEPLOY / web["build"]["context"] / web["build"]["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    assert (DEPLOY / f"{web['env_file']}.example").is_file()
    assert set(web["depends_on"]) < set(compose["services"])
    assert int(web["stop_grace_period"].removesuffix("s")) > GRACE_SECONDS + 5
    # Each address leads to a service of this very file.
    for name in ("DATABASE_URL", "REDIS_URL"):
        host = re.search(r"[/@](\w+)[:/](?:\d|terristory)", web["environment"][PREFIX + name])
        assert host is not None and host[1] in compose["services"], name
    assert web["read_only"] and web["cap_drop"] == ["ALL"]
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            assert volume.split(":")[0] in compose["volumes"]


def test_the_example_of_production_settings_names_settings_that_exist() -> None:
    names = re.findall(r"^#?([A-Z][A-Z_]+)=", (DEPLOY / "terristory.env.example").read_text(), re.MULTILINE)
    assert set(names) <= set(listed()) and PREFIX + "SECRET_KEY" in names


def test_files_that_the_installation_names_are_there_and_it_takes_twelve_commands_at_most() -> None:
    text = (PROJECT_ROOT / "docs" / "installation.md").read_text()
    # The first block of commands is the whole way to a working site.
    block = re.search(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    assert 0 < len(block[1].strip().splitlines()) <= 12
    for name in re.findall(r"deploy/([\w.-]+\w)", text):
        assert list(DEPLOY.glob(name + "*")), name
