"""What can be shown of the container without an engine: what it copies suffices to serve, its health check answers."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml

from terristory.settings import PROJECT_ROOT
from tests.architecture.test_deployment_files import containerfile
from tests.support.components import Child, free_port, listens
from tests.support.environment import service_environment
from tests.support.server import FLASK, Server, server_environment

pytestmark = pytest.mark.slow


def test_the_health_check_succeeds_in_production_and_fails_once_it_is_stopped(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(
        ENV="production", PUBLIC_URL="https://compte.example.fr", SMTP_URL="smtp+plain://127.0.0.1:2525",
        MAIL_FROM="compte@example.fr", OPERATOR_MAIL="exploitation@example.fr",
    )  # fmt: skip
    command = dict(containerfile())["HEALTHCHECK"].split("CMD ", 1)[1]
    _python, *arguments = yaml.safe_load(command.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"))

    def status() -> int:
        return subprocess.run([sys.executable, *arguments], env=server.environ, timeout=20, check=False).returncode

    assert status() == 0
    server.stop()
    assert status() != 0


def test_what_the_container_copies_is_enough_to_serve(tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.mkdir()
    copies = [value.split()[-2:] for name, value in containerfile() if name == "COPY" and "requirements" not in value]
    for source, target in copies:
        name = Path(source).name
        if name != ".venv":
            origin, copy = PROJECT_ROOT / name, image / (name if target == "." else target)
            shutil.copytree(origin, copy, dirs_exist_ok=True) if origin.is_dir() else shutil.copyfile(origin, copy)
    port = free_port()
    environ = server_environment(port, service_environment(DATABASE_URL=f"sqlite:///{tmp_path / 'served.sqlite'}"))
    # Started within the copy: nothing of the project's own folder is found.
    command = ["env", "-C", image, *FLASK, "serve"]
    child = Child(command, tmp_path / "serve.log", env=environ)
    try:
        child.wait_until_ready(lambda: listens(port), seconds=40)
        page = requests.get(f"http://127.0.0.1:{port}/bretagne/", timeout=10)
        assert page.status_code == 200
        sheet = page.text.split('rel="stylesheet"')[1].split('href="')[1].split('"')[0]
        assert requests.get(f"http://127.0.0.1:{port}{sheet}", timeout=10).status_code == 200
        english = requests.get(f"http://127.0.0.1:{port}/bretagne/", headers={"Accept-Language": "en"}, timeout=10)
        assert 'lang="en"' in english.text
    finally:
        assert child.stop() == 0
