"""Two hosts in production behind Debian's nginx, configured as delivered, over one PostgreSQL and one Redis."""

import re
import signal
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests

from tests.support.components import wait_until
from tests.support.environment import service_environment
from tests.support.json_client import PASSWORD, JsonClient
from tests.support.nginx import Nginx, running_nginx
from tests.support.postgres import Postgres
from tests.support.redis import RedisServer
from tests.support.server import Server, running_server
from tests.support.smtp import MailServer
from tests.support.traffic import Traffic, going_on

pytestmark = [pytest.mark.slow, pytest.mark.postgresql, pytest.mark.redis, pytest.mark.timeout(240)]
ADMIN, MEMBER = "anne@region.test", "marin@brest.test"
ADMIN_PASSWORD = "moulin orage boussole 3 tiroirs"
UNLIMITED = ("REGISTER", "REGENERATE", "SIGN_IN", "CAPTCHA", "REFRESH", "ADMIN")


@dataclass
class Site:
    """What an operator of two hosts has."""

    nginx: Nginx
    hosts: list[Server]
    mail: MailServer
    database: Postgres

    @property
    def url(self) -> str:
        return self.nginx.url

    def one(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of a statement."""
        with self.database.connect("shared") as connection:
            return connection.execute(statement).fetchall()

    def link_of(self, address: str, path: str) -> str:
        """The secret part of the first link to `path` mailed to an address."""

        def found() -> list[str]:
            mine = (one.part("plain") for one in self.mail.messages if one.recipients == (address,))
            return [secret for text in mine for secret in re.findall(rf"{self.url}/\S+/{path}/(\S+)", text)]

        wait_until(lambda: bool(found()), seconds=30, what=f"a mail with a link to {path}")
        return found()[0]


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(
    own_postgres: Postgres,
    redis_server: RedisServer,
    mail_server: MailServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MakeSite]:
    """Start both hosts and the proxy: `make_site(LIMIT_CAPTCHA="6/minute")`. Bretagne is open and has two accounts."""
    from contextlib import ExitStack

    with ExitStack() as running:

        def make(**settings: str) -> Site:
            nginx = Nginx(tmp_path)
            # Clients of these tests, wherever they are made, trust the certificate made for the moment.
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(nginx.authority))
            limits = {f"LIMIT_{name}": "100000/minute" for name in UNLIMITED}
            environ = service_environment(
                **{
                    "ENV": "production",
                    "DATABASE_URL": own_postgres.create_database("shared"),
                    "REDIS_URL": redis_server.url,
                    "WEB_WORKERS": 1,
                    "PUBLIC_URL": nginx.url,
                    "TRUSTED_PROXIES": 1,
                    "SMTP_URL": mail_server.url,
                    "MAIL_FROM": "compte@terristory.test",
                    "OPERATOR_MAIL": "exploitation@terristory.test",
                    **limits,
                    **settings,
                }
            )
            hosts = [running.enter_context(running_server(tmp_path, environ)) for _ in range(2)]
            hosts[0].command("regions", "open", "bretagne")
            running.enter_context(running_nginx(nginx, [host.port for host in hosts]))
            site = Site(nginx, hosts, mail_server, own_postgres)
            for mail, password, role in ((ADMIN, ADMIN_PASSWORD, ["--admin"]), (MEMBER, PASSWORD, [])):
                person = ("create-user", "--region", "bretagne", "--mail", mail, "--prenom", "A", "--nom", "B", *role)
                temporary = re.search(r"^[a-z0-9]{8,16}$", hosts[1].command(*person), re.MULTILINE)
                assert temporary is not None
                JsonClient(site.url).sign_in_first_time(mail, temporary[0], password)
            return site

        yield make


def test_the_whole_way_passes_the_proxy_with_cookies_over_https_and_its_log_holds_no_secret(
    make_site: MakeSite,
) -> None:
    site = make_site()
    api = f"{site.url}/api/bretagne"
    admin, applicant = JsonClient(site.url), JsonClient(site.url)
    admin.sign_in(ADMIN, ADMIN_PASSWORD)
    assert applicant.ask_for_account("jeanne@brest.test").status_code == 201
    secret = site.link_of("jeanne@brest.test", "confirmer")
    browser = site.nginx.session()
    assert browser.get(f"{site.url}/bretagne/confirmer/{secret}", timeout=20).status_code == 200
    assert applicant.call("POST", "/user/confirm", {"token": secret, "password": PASSWORD}).status_code == 204
    user = admin.call("GET", "/admin/users?status=awaiting").json()["users"][0]
    assert admin.call("POST", f"/admin/users/{user['id']}/activate", {}).status_code == 200

    ours = {"Origin": site.url, "Sec-Fetch-Site": "same-origin"}
    account = {"login": "jeanne@brest.test", "password": PASSWORD}
    signed_in = browser.post(f"{api}/user/auth", json=account, headers=ours, timeout=20)
    assert signed_in.status_code == 200, signed_in.text
    cookies = {cookie.name: cookie for cookie in browser.cookies}
    assert {"__Host-access_token", "__Host-refresh_token", "__Host-csrf_token"} <= set(cookies)
    assert all(cookie.secure for cookie in cookies.values())
    assert browser.get(f"{api}/auth/me", timeout=20).json()["me"]["mail"] == "jeanne@brest.test"
    proof = {**ours, "X-CSRF-TOKEN": str(cookies["__Host-csrf_token"].value)}
    refreshed = browser.post(f"{api}/auth/refresh", headers=proof, timeout=20)
    assert refreshed.status_code == 200, refreshed.text
    assert browser.post(f"{api}/auth/logout", headers=proof, timeout=20).status_code == 204
    assert browser.get(f"{api}/auth/me", timeout=20).status_code == 401

    plain = requests.get(f"http://localhost:{site.nginx.plain_port}/bretagne/", timeout=10, allow_redirects=False)
    assert (plain.status_code, plain.headers["Location"]) == (301, "https://localhost/bretagne/")
    log = site.nginx.access_log.read_text()
    assert "GET /bretagne/confirmer/*** 200" in log and "POST /api/bretagne/user/auth 200" in log
    for kept in (secret, *(str(cookie.value) for cookie in cookies.values()), "jeanne@brest.test"):
        assert kept not in log


def test_limits_of_both_hosts_are_one(make_site: MakeSite) -> None:
    site = make_site(LIMIT_CAPTCHA="6/minute")
    ask = partial(requests.get, f"{site.url}/api/bretagne/captcha", params={"form": "create_user"}, timeout=20)
    # The proxy takes the hosts in turn: counted apart, ten would be five each.
    assert Counter(ask().status_code for _ in range(10)) == {200: 6, 429: 4}


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_notices_that_a_host_dies_or_is_stopped_and_comes_back(
    make_site: MakeSite, sign: signal.Signals
) -> None:
    site = make_site()
    traffic = Traffic(site.url, verify=str(site.nginx.authority))
    admin = JsonClient(site.url)
    admin.sign_in(ADMIN, ADMIN_PASSWORD)
    members = [partial(traffic.member, MEMBER, PASSWORD, device) for device in ("tablette", "ordinateur")]
    activated: list[str] = []

    def decide() -> None:
        for user in admin.call("GET", "/admin/users?status=awaiting").json()["users"]:
            answer = admin.call("POST", f"/admin/users/{user['id']}/activate", {})
            assert answer.status_code == 200, answer.text
            activated.append(user["mail"])

    with going_on(traffic, traffic.applicant, traffic.applicant, *members):
        wait_until(lambda: len(traffic.registered) >= 4, seconds=40, what="some registrations")
        confirm(site, traffic.registered[:2])
        decide()
        if sign == signal.SIGKILL:
            site.hosts[0].kill()
        else:
            site.hosts[0].stop()
        before = len(traffic.registered)
        confirm(site, traffic.registered[2:4])
        decide()
        wait_until(lambda: len(traffic.registered) >= before + 6, seconds=60, what="registrations on one host")
        site.hosts[0].restart()
        # The proxy leaves a host aside for 10 s.
        time.sleep(11)
        site.hosts[1].stop()
        before = len(traffic.registered)
        wait_until(lambda: len(traffic.registered) >= before + 4, seconds=60, what="registrations on the other host")
    assert traffic.faults == []
    # Asked again: only what was between commit and answer on the host that died.
    assert traffic.repeated.total() <= (2 if sign == signal.SIGKILL else 0), traffic.repeated
    site.hosts[1].restart()
    check_what_people_were_told(site, traffic.registered, activated, dead_workers=int(sign == signal.SIGKILL))


def confirm(site: Site, mails: list[str]) -> None:
    """Follow the links that these applicants were mailed."""
    for mail in mails:
        body = {"token": site.link_of(mail, "confirmer"), "password": PASSWORD}
        assert JsonClient(site.url).call("POST", "/user/confirm", body).status_code == 204


def check_what_people_were_told(site: Site, registered: list[str], activated: list[str], dead_workers: int) -> None:
    """Every answer was true: accounts, decisions, audit lines and mails are there, once each."""
    asked = [mail for (mail,) in site.one("SELECT mail FROM \"user\" WHERE mail LIKE 'applicant%'")]
    assert set(registered) <= set(asked) and len(asked) == len(set(asked))
    created = dict(site.one("SELECT subject, count(*) FROM audit_line WHERE event = 'user.created' GROUP BY subject"))
    assert set(created.values()) == {1} and len(created) == len(asked) + 2
    confirming = "SELECT recipient, count(*) FROM outbox_mail WHERE template = 'user/confirm' GROUP BY recipient"
    assert set(dict(site.one(confirming))) == set(asked)
    decided = "SELECT recipient, count(*) FROM outbox_mail WHERE template = 'admin/activated' GROUP BY recipient"
    assert dict(site.one(decided)) == dict.fromkeys(activated, 1) and len(activated) == 4
    active = site.one("SELECT mail FROM \"user\" WHERE mail LIKE 'applicant%' AND status = 'active'")
    assert {mail for (mail,) in active} == set(activated)

    # A mail in the hands of the worker that was killed waits until its lease is over; all others leave.
    waiting = "SELECT count(*) FROM outbox_mail WHERE state <> 'sent'"
    wait_until(lambda: site.one(waiting)[0][0] <= dead_workers, seconds=60, what="mails to leave")  # type: ignore[operator]
    copies = Counter(str(one.message["Message-ID"]) for one in site.mail.messages)
    sent = {str(row[0]) for row in site.one("SELECT message_id FROM outbox_mail WHERE state = 'sent'")}
    assert sent <= set(copies)
    assert copies.total() - len(copies) <= dead_workers, "two workers sent the same mail"


def test_when_no_host_answers_the_proxy_says_so_as_the_service_would(make_site: MakeSite) -> None:
    site = make_site()
    for host in site.hosts:
        host.stop()
    api = requests.post(f"{site.url}/api/bretagne/auth", json={"login": "a@b.fr", "password": "x"}, timeout=20)
    assert (api.status_code, api.json()["code"]) == (503, "unavailable")
    page = requests.get(f"{site.url}/bretagne/", timeout=20)
    assert page.status_code == 503 and "Réessayez" in page.text
    for answer, kind in ((api, "application/problem+json"), (page, "text/html")):
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["Server"] == "nginx"


def test_two_hundred_slow_clients_hold_up_nobody(make_site: MakeSite) -> None:
    site = make_site()
    context = ssl.create_default_context(cafile=str(site.nginx.authority))
    begun = b"POST /api/bretagne/auth HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow = []
    for number in range(200):
        connection = context.wrap_socket(
            socket.create_connection(("127.0.0.1", site.nginx.port), timeout=20), server_hostname="localhost"
        )
        # Half of them never end their headers, half never their body.
        connection.sendall(begun if number % 2 else begun + b"Content-Length: 200\r\n\r\n{")
        slow.append(connection)
    member = JsonClient(site.url)
    try:
        for _second in range(6):
            for connection in slow:
                connection.sendall(b" " if _second else b"x")
            started = time.monotonic()
            assert requests.get(f"{site.url}/livez", timeout=5).status_code == 200
            assert time.monotonic() - started < 2
            member.sign_in(MEMBER, PASSWORD)
            time.sleep(1)
    finally:
        for connection in slow:
            connection.close()
