"""The health check of the Containerfile against a service in production."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import yaml

from tests.architecture.test_deployment_files import containerfile
from tests.support.server import Server

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
