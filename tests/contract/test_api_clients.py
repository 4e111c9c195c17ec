"""The clients of docs/api.md work as they are printed."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import requests

from terristory.settings import PROJECT_ROOT
from tests.support.components import Child, free_port, listens, require
from tests.support.json_client import PASSWORD, JsonClient, mails_of

PAGE = PROJECT_ROOT / "docs" / "api.md"
REGION, MAIL = "bretagne", "marin.lagadec@example.org"
BLOCK = re.compile(r"^```(\w+)\n(?:(?:#|//) (\S+)\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> dict[str, str]:
    """The code of the page by the file name in its first line, else by its language."""
    return {name or language: code for language, name, code in BLOCK.findall(PAGE.read_text())}


def run(name, folder, url, mail=MAIL):
    """Run a printed Python client as a program and return what it prints."""
    program = folder / name
    program.write_text(blocks()[name])
    place = {"TERRISTORY_URL": url, "TERRISTORY_REGION": REGION}
    account = {"TERRISTORY_LOGIN": mail, "TERRISTORY_PASSWORD": PASSWORD}
    environ = {"PATH": os.environ["PATH"], **place, **account}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=60, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_account(server):
    """Give the service an account with PASSWORD and return the service."""
    person = ("--prenom", "Marin", "--nom", "Lagadec")
    printed = server.command("create-user", "--region", REGION, "--mail", MAIL, *person)
    temporary = next(line for line in printed.splitlines() if re.fullmatch(r"[a-z0-9]{8,16}", line))
    JsonClient(server.url, REGION).sign_in_first_time(MAIL, temporary, PASSWORD)
    return server


@pytest.fixture
def server(make_server):
    return with_account(make_server())


def test_every_block_of_code_is_known():
    names = {"sign_in.py", "ask_for_an_account.py", "session.js", "json", "nginx", "vite.config.js"}
    assert set(blocks()) == names


@pytest.mark.timeout(120)
def test_the_python_client_signs_in_renews_and_signs_out(server, tmp_path):
    assert run("sign_in.py", tmp_path, server.url).splitlines() == [MAIL, "{'valid': True}"]


@pytest.mark.timeout(120)
def test_the_python_client_solves_the_check_and_asks_for_an_account(make_server, tmp_path):
    server = make_server()
    mail = "jeanne.le-goff@example.org"
    lines = run("ask_for_an_account.py", tmp_path, server.url, mail).splitlines()
    assert lines == [f"{{'login': '{mail}', 'active': False}}", "{'sent': True}"]
    assert any("Confirmez votre adresse" in text for text in mails_of(server.url, mail))


WALK = """async ([region, login, password]) => {
  const me = (await signIn(region, login, password)).me;
  const changed = await changeProfile(region, { fonction: "Marin" });
  const seen = await whoAmI(region);
  await signOut(region);
  const after = await whoAmI(region).catch((problem) => problem.status);
  return [me.mail, changed.me.fonction, seen.me.prenom, document.cookie.includes("access_token"), after];
}"""


@pytest.mark.browser
@pytest.mark.timeout(120)
def test_the_front_end_signs_in_changes_something_and_signs_out(server, browser_context):
    page = browser_context.new_page()
    page.goto(f"{server.url}/{REGION}/")
    walked = page.evaluate(f"(args) => {{ {blocks()['session.js']} return ({WALK})(args); }}", [REGION, MAIL, PASSWORD])
    assert walked == [MAIL, "Marin", "Marin", False, 401]


@pytest.mark.browser
@pytest.mark.timeout(120)
def test_the_front_end_goes_on_when_its_access_token_has_expired(make_server, browser_context):
    server = with_account(make_server(ACCESS_TOKEN_SECONDS=1, JWT_LEEWAY_SECONDS=0))
    page = browser_context.new_page()
    page.goto(f"{server.url}/{REGION}/")
    walk = """async ([region, login, password]) => {
      await signIn(region, login, password);
      await new Promise((wake) => setTimeout(wake, 2100));
      return (await whoAmI(region)).me.mail;
    }"""
    code = f"(args) => {{ {blocks()['session.js']} return ({walk})(args); }}"
    assert page.evaluate(code, [REGION, MAIL, PASSWORD]) == MAIL


@pytest.mark.timeout(120)
def test_the_printed_proxy_lets_the_service_see_who_calls(make_server, tmp_path):
    nginx = require("nginx", shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"), "apt install nginx")
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    server = with_account(make_server(TRUSTED_PROXIES=1, PUBLIC_URL=public))
    location = blocks()["nginx"].replace("http://127.0.0.1:8000", server.url)
    places = "".join(
        f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = tmp_path / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}"
        f"http {{ access_log off; {places} server {{ listen 127.0.0.1:{port}; {location} }} }}"
    )
    proxy = Child([nginx, "-p", tmp_path, "-c", conf, "-e", "stderr"], tmp_path / "nginx.log")
    try:
        proxy.wait_until_ready(lambda: listens(port))
        browser = requests.Session()
        headers = {"Origin": public, "Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "203.0.113.9"}
        account = {"login": MAIL, "password": PASSWORD}
        signed_in = browser.post(f"{public}/api/{REGION}/user/auth", json=account, headers=headers, timeout=10)
        assert signed_in.status_code == 200, signed_in.text
        sessions = browser.get(f"{public}/api/{REGION}/user/sessions", timeout=10).json()["sessions"]
        here = next(session for session in sessions if session["current"])
        assert here["network"].startswith("127."), "a header of the client's own was believed"
        foreign = {**headers, "Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "cross-site"}
        refused = requests.post(f"{public}/api/{REGION}/user/auth", json=account, headers=foreign, timeout=10)
        assert (refused.status_code, refused.json()["code"]) == (400, "csrf_failed")
    finally:
        proxy.stop()


def test_the_printed_configuration_of_vite_passes_the_api_on(tmp_path):
    node = require("node", shutil.which("node"))
    (tmp_path / "vite.config.mjs").write_text(blocks()["vite.config.js"])
    show = f"import c from '{tmp_path}/vite.config.mjs'; console.log(c.server.proxy['/api'].target)"
    done = subprocess.run([node, "--input-type=module", "-e", show], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "http://127.0.0.1:8000", done.stderr
