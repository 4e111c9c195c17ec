"""What the service stands on: locked, above the floors that advisories set, and doing its own job."""

import ast
import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from terristory.settings import PROJECT_ROOT
from tests.support.source import imports, modules, places

# Below these versions an advisory, or a behaviour this service relies on, says no.
FLOORS = {
    "flask": "3.1.3",  # CVE-2026-27205: missing Vary: Cookie; CVE-2025-47278: fallback keys that sign
    "werkzeug": "3.1.8",  # CVE-2025-66221, CVE-2026-21860, CVE-2026-27199; strict Host parsing
    "jinja2": "3.1.6",  # CVE-2025-27516
    "pyjwt": "2.13",  # CVE-2026-48523, CVE-2026-48524; unknown crit refused since 2.12
    "flask-jwt-extended": "4.7.4",
    "flask-wtf": "1.3.0",
    "flask-mail": "0.10.0",
    "flask-limiter": "4.1.1",
    "altcha": "2.3",  # CVE-2025-68113: challenge splicing
    "babel": "2.9.1",  # CVE-2021-42771: a locale name that loads a pickle
    "granian": "2.7.4",  # CVE-2026-42544, CVE-2026-42545
    "idna": "3.7",  # CVE-2024-3651
    "cryptography": "45",
    "aiosmtpd": "1.4.6",  # CVE-2024-27305, CVE-2024-34083 (tests only)
}
UNWANTED = ("flask-cors", "python-jose", "authlib", "gunicorn", "waitress", "flask-login", "flask-security-too")


@pytest.mark.parametrize(("package", "floor"), FLOORS.items(), ids=list(FLOORS))
def test_a_package_is_at_or_above_its_floor(package, floor):
    assert Version(version(package)) >= Version(floor)


def pins(name: str) -> dict[str, Version]:
    found = re.findall(r"^([a-z0-9][\w.-]*)==([^\s;\\]+)", (PROJECT_ROOT / name).read_text(), re.MULTILINE)
    return {package.lower().replace("_", "-"): Version(number) for package, number in found}


def wishes(name: str) -> list[Requirement]:
    lines = (PROJECT_ROOT / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith(("#", "-r"))]


@pytest.mark.parametrize(("package", "floor"), FLOORS.items(), ids=list(FLOORS))
def test_the_lock_is_at_or_above_every_floor(package, floor):
    """What is installed here may be newer than what the lock would install elsewhere."""
    assert pins("requirements-dev.txt")[package] >= Version(floor)


@pytest.mark.parametrize("wish", wishes("requirements.in"), ids=lambda wish: wish.name)
def test_a_wish_does_not_go_below_a_floor(wish):
    """Else a new resolution could."""
    floor = Version(FLOORS.get(wish.name, "0"))
    lowest = [Version(part.version) for part in wish.specifier if part.operator in (">=", "==", "~=")]
    assert lowest and min(lowest) >= floor


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_answers_every_wish(name):
    locked = pins(f"{name}.txt")
    unmet = [str(wish) for wish in wishes(f"{name}.in") if locked.get(wish.name.lower()) not in wish.specifier]
    assert unmet == []


def test_the_lock_of_the_tests_holds_the_very_versions_that_serve():
    served, tested = pins("requirements.txt"), pins("requirements-dev.txt")
    assert {package: number for package, number in served.items() if tested.get(package) != number} == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_package_has_its_hashes(name):
    text = (PROJECT_ROOT / name).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    bare = [entry.splitlines()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry]
    assert len(pins(name)) > 20
    assert bare == []


def test_the_lock_names_no_registry_of_its_own():
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert not re.search(r"--(?:extra-)?index-url|--find-links|https?://|file:", (PROJECT_ROOT / name).read_text())


@pytest.mark.parametrize("package", UNWANTED)
def test_a_package_with_a_job_we_do_not_want_done_is_absent(package):
    assert package not in pins("requirements.txt")


# The packages that the order for this service names, and where each does its job.
JOBS = {
    "flask_jwt_extended": "terristory/auth/access_token.py",
    "flask_wtf": "terristory/web/base_form.py",
    "flask_sqlalchemy": "terristory/extensions.py",
    "flask_mail": "terristory/mail_outbox/",
}


@pytest.mark.parametrize(("package", "place"), JOBS.items(), ids=list(JOBS))
def test_a_package_of_the_order_does_its_job(package, place):
    assert any(found.startswith(place) for found in places(imports(package)))


def test_tokens_are_signed_and_read_by_the_library_alone():
    """PyJWT beside Flask-JWT-Extended would be a second reader with other rules.

    `access_token.py` knows its errors, and reads again what a token that the library has verified truly holds;
    `token_keys.py` uses its algorithms to publish keys. Nothing else, and nothing is signed or verified by it.
    """
    users = {module.name for module in modules() for node in ast.walk(module.tree) if imports("jwt")(node)}
    assert users <= {"terristory/auth/access_token.py", "terristory/auth/token_keys.py"}
    calls = [
        ast.unparse(node)
        for module in modules()
        if module.name in users
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("jwt.encode", "jwt.decode")
    ]
    assert calls == ["jwt.decode(token, options={'verify_signature': False})"]
